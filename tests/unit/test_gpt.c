/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/format/gpt.h"

#include "factory/base/bytes.h"
#include "factory/base/cleanup.h"
#include "factory/base/hex.h"
#include "factory/base/io.h"
#include "factory/base/process.h"
#include "tap.h"

#define SECTORS 2048
#define DISK_SIZE ((uint64_t)SECTORS * GPT_SECTOR)
#define HEADER GPT_SECTOR
#define ENTRIES (2 * GPT_SECTOR)
#define ENTRY(n) (ENTRIES + 128 * ((n)-1))

static uint32_t crc32_of(const uint8_t *data, size_t size)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < size; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	}
	return crc ^ 0xffffffff;
}

static void seal(uint8_t *head)
{
	uint32_t count = read_le32(head + HEADER + 80);

	if (count <= 128)
		write_le32(head + HEADER + 88, crc32_of(head + ENTRIES, (size_t)count * 128));
	write_le32(head + HEADER + 16, 0);
	write_le32(head + HEADER + 16, crc32_of(head + HEADER, 92));
}

static void put_entry(uint8_t *head, unsigned int number, uint64_t first, uint64_t last,
		      const char *name)
{
	uint8_t *e = head + ENTRY(number);

	memcpy(e, gpt_type_esp, 16);
	memset(e + 16, (int)number, 16);
	write_le64(e + 32, first);
	write_le64(e + 40, last);
	write_le64(e + 48, UINT64_C(1) << 60);
	for (size_t i = 0; name[i]; i++)
		write_le16(e + 56 + 2 * i, (uint8_t)name[i]);
}

/* Entries 1 and 3 used, of 128. */
static void build(uint8_t head[static GPT_HEAD_SIZE])
{
	uint8_t *h = head + HEADER;

	memset(head, 0, GPT_HEAD_SIZE);
	memcpy(h, "EFI PART", 8);
	write_le32(h + 8, 0x00010000);
	write_le32(h + 12, 92);
	write_le64(h + 24, 1);
	write_le64(h + 32, SECTORS - 1);
	write_le64(h + 40, 34);
	write_le64(h + 48, SECTORS - 34);
	memset(h + 56, 0xdd, 16);
	write_le64(h + 72, 2);
	write_le32(h + 80, 128);
	write_le32(h + 84, 128);
	put_entry(head, 1, 34, 99, "esp");
	put_entry(head, 3, 100, SECTORS - 34, "root");
	seal(head);
}

static void test_parse(void)
{
	uint8_t head[GPT_HEAD_SIZE];
	struct gpt gpt;

	build(head);
	ok(gpt_parse(head, sizeof(head), DISK_SIZE, &gpt) == NULL, "a small table parses");
	ok_int(gpt.count, 2, "two entries are used");
	ok_int(gpt.first_usable_lba, 34, "first usable sector");
	ok_int(gpt.last_usable_lba, SECTORS - 34, "last usable sector");
	ok_int(gpt.alternate_lba, SECTORS - 1, "alternate header");
	ok_int(gpt.disk_id[15], 0xdd, "disk id");
	ok_int(gpt.partitions[0].number, 1, "first number");
	ok_int(gpt.partitions[1].number, 3, "a hole in the table keeps the numbers");
	ok_int(gpt.partitions[1].offset, 100 * GPT_SECTOR, "offset in bytes");
	ok_int(gpt.partitions[0].size, 66 * GPT_SECTOR, "size in bytes, last sector included");
	ok_int(gpt.partitions[0].attributes >> 60, 1, "attributes");
	ok_str(gpt.partitions[1].name, "root", "name");
}

/* One change to a good table; `sealed` renews the checksums after it. */
static const struct damage {
	const char *what;
	size_t offset;
	uint64_t value;
	unsigned int bytes;
	bool sealed;
	const char *problem;
} damages[] = {
	{"signature", HEADER, 'X', 1, true, "no GPT signature"},
	{"revision", HEADER + 8, 0x00020000, 4, true, "revision"},
	{"short header", HEADER + 12, 91, 4, true, "size is not between"},
	{"long header", HEADER + 12, 513, 4, true, "size is not between"},
	{"header byte", HEADER + 60, 1, 1, false, "header's CRC"},
	{"entry byte", ENTRY(3) + 20, 1, 1, false, "CRC of the GPT's entries"},
	{"unused entry's byte", ENTRY(128) + 127, 1, 1, false, "CRC of the GPT's entries"},
	{"own sector", HEADER + 24, 7, 8, true, "at sector 1"},
	{"entry size", HEADER + 84, 256, 4, true, "entry size"},
	{"no entries", HEADER + 80, 0, 4, true, "between 1 and 128"},
	{"too many entries", HEADER + 80, 129, 4, true, "between 1 and 128"},
	{"entries in the header", HEADER + 72, 1, 8, true, "overlap"},
	{"entries one sector late", HEADER + 72, 3, 8, true, "beyond the bytes"},
	{"entries far away", HEADER + 72, UINT64_MAX, 8, true, "beyond the bytes"},
	{"backwards", ENTRY(1) + 40, 33, 8, true, "ends before it begins"},
	{"before the usable area", ENTRY(1) + 32, 33, 8, true, "outside the usable"},
	{"behind the usable area", ENTRY(3) + 40, SECTORS - 33, 8, true, "outside the usable"},
	{"to the end of time", ENTRY(3) + 40, UINT64_MAX, 8, true, "outside the usable"},
};

static void test_damage(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		const struct damage *d = &damages[i];
		uint8_t head[GPT_HEAD_SIZE], value[8], measured[GPT_MEASURED_MAX];
		struct gpt gpt = {.count = 77};
		size_t size = 77;
		const char *problem;

		build(head);
		write_le64(value, d->value);
		memcpy(head + d->offset, value, d->bytes);
		if (d->sealed)
			seal(head);
		problem = gpt_parse(head, sizeof(head), DISK_SIZE, &gpt);
		ok(problem && strstr(problem, d->problem), "%s: refused: %s", d->what,
		   problem ? problem : "(accepted)");
		ok(gpt.count == 77, "%s: the output is untouched", d->what);
		ok(gpt_measured(head, sizeof(head), measured, &size) == problem && size == 77,
		   "%s: gpt_measured() says the same", d->what);
	}
}

static void test_sizes(void)
{
	uint8_t head[GPT_HEAD_SIZE];
	struct gpt gpt;
	const char *problem;

	build(head);
	for (size_t size = 0; size < sizeof(head); size++) {
		CLEANUP_FREE uint8_t *exact = malloc(size + !size);

		memcpy(exact, head, size);
		if (gpt_parse(exact, size, DISK_SIZE, &gpt) == NULL)
			ok(false, "a head of %zu bytes is refused", size);
	}
	problem = gpt_parse(head, sizeof(head), DISK_SIZE - 34 * GPT_SECTOR, &gpt);
	ok(problem && strstr(problem, "beyond the end of the disk"), "a disk cut short is refused");
	ok(!gpt_parse(head, sizeof(head), DISK_SIZE - 33 * GPT_SECTOR, &gpt),
	   "a disk that ends with its last partition is not");
}

static void test_names(void)
{
	static const struct {
		uint16_t units[4];
		const char *text;
	} cases[] = {
		{{'a', 'b', 0, 'c'}, "ab"},
		{{0xe9, 0x20ac, 0}, "\xc3\xa9\xe2\x82\xac"},
		{{0xd83d, 0xde00, '!', 0}, "\xf0\x9f\x98\x80!"},
		{{0xd83d, 'x', 0}, "?x"},
		{{0xde00, 'x', 0}, "?x"},
		{{'x', 0x1b, 0x9b, 0}, "x??"},
	};
	uint8_t head[GPT_HEAD_SIZE];
	struct gpt gpt;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		build(head);
		for (size_t u = 0; u < 4; u++)
			write_le16(head + ENTRY(3) + 56 + 2 * u, cases[i].units[u]);
		seal(head);
		gpt_parse(head, sizeof(head), DISK_SIZE, &gpt);
		ok_str(gpt.partitions[1].name, cases[i].text, "name %zu", i);
	}
	build(head);
	for (size_t u = 0; u < 36; u++)
		write_le16(head + ENTRY(3) + 56 + 2 * u, 0xffff);
	seal(head);
	gpt_parse(head, sizeof(head), DISK_SIZE, &gpt);
	ok_int(strlen(gpt.partitions[1].name), 36 * 3, "the longest name fits");
}

static void test_measured(void)
{
	uint8_t head[GPT_HEAD_SIZE], measured[GPT_MEASURED_MAX];
	size_t size;

	build(head);
	ok(!gpt_measured(head, sizeof(head), measured, &size), "a good table can be measured");
	ok_int(size, 92 + 8 + 2 * 128, "header, count and used entries");
	ok(memcmp(measured, head + HEADER, 92) == 0, "the header comes first");
	ok_int(read_le64(measured + 92), 2, "then the count");
	ok(memcmp(measured + 100, head + ENTRY(1), 128) == 0 &&
		   memcmp(measured + 228, head + ENTRY(3), 128) == 0,
	   "then the used entries");
}

/* The independent writer. */
static void test_sgdisk(void)
{
	static const char root_id[] = "00112233-4455-6677-8899-aabbccddeeff";
	static const char disk_id[] = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_IO_MAP struct io_map map = {NULL, 0};
	CLEANUP_FREE char *path = NULL, *zeros = calloc(1, DISK_SIZE);
	struct error err = ERROR_INIT;
	char text[GUID_TEXT_SIZE];
	struct gpt gpt;

	need(zeros && io_scratch_new("/tmp", &scratch, &err) == 0, "scratch %s", err.message);
	path = path_join(scratch.path, "disk");
	need(io_write_file(path, zeros, DISK_SIZE, 0600, &err) == 0, "disk %s", err.message);
	const char *argv[] = {"/usr/sbin/sgdisk",
			      "-a",
			      "1",
			      "-U",
			      disk_id,
			      "-n",
			      "1:34:133",
			      "-t",
			      "1:c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
			      "-c",
			      "1:ESP",
			      "-n",
			      "5:134:0",
			      "-t",
			      "5:4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
			      "-c",
			      "5:caf\xc3\xa9",
			      "-u",
			      "5:00112233-4455-6677-8899-aabbccddeeff",
			      "-A",
			      "5:set:60",
			      path,
			      NULL};

	need(process_run(&(struct process_options){.argv = argv}, NULL, &err) == 0, "sgdisk %s",
	     err.message);
	need(io_map_file(path, &map, &err) == 0, "map %s", err.message);
	const char *problem = gpt_parse(map.data, GPT_HEAD_SIZE, map.size, &gpt);
	need(!problem, "sgdisk's table parses: %s", problem ? problem : "");
	ok_int(gpt.count, 2, "sgdisk: two partitions");
	guid_format(gpt.disk_id, text);
	ok_str(text, disk_id, "sgdisk: disk id");
	ok(memcmp(gpt.partitions[0].type, gpt_type_esp, 16) == 0, "sgdisk: ESP type");
	ok(memcmp(gpt.partitions[1].type, gpt_type_root_x86_64, 16) == 0, "sgdisk: root type");
	guid_format(gpt.partitions[1].id, text);
	ok_str(text, root_id, "sgdisk: partition id");
	ok_int(gpt.partitions[1].number, 5, "sgdisk: number");
	ok_str(gpt.partitions[1].name, "caf\xc3\xa9", "sgdisk: name");
	ok_int(gpt.partitions[1].attributes >> 60, 1, "sgdisk: read-only attribute");
	ok_int(gpt.partitions[0].offset, 34 * GPT_SECTOR, "sgdisk: offset");
	ok_int(gpt.partitions[0].size, 100 * GPT_SECTOR, "sgdisk: size");
}

static void test_types(void)
{
	static const struct {
		const uint8_t *type;
		const char *text;
	} types[] = {
		{gpt_type_esp, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"},
		{gpt_type_root_x86_64, "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"},
		{gpt_type_root_verity_x86_64, "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5"},
		{gpt_type_root_arm64, "b921b045-1df0-41c3-af44-4c6f280d3fae"},
		{gpt_type_root_verity_arm64, "df3300ce-d69f-4c92-978c-9bfb0f38d820"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		char text[GUID_TEXT_SIZE];

		guid_format(types[i].type, text);
		ok_str(text, types[i].text, "type GUID %zu", i);
	}
}

int main(void)
{
	test_types();
	test_parse();
	test_damage();
	test_sizes();
	test_names();
	test_measured();
	test_sgdisk();
	return tap_done();
}
