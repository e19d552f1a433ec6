/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "factory/format/pcr.h"
#include "factory/format/pe.h"
#include "tests/unit/pe_image.h"
#include "tests/unit/tap.h"

static const char code[] = "\x31\xc0\xc3 code";
static const char words[600] = "words";

static void build(struct buf *b)
{
	const struct image_section sections[] = {
		{ ".text", code, sizeof(code) },
		{ ".words", words, sizeof(words) },
		{ ".longest", "12345678", 8 },
	};

	image_build(b, sections, ARRAY_SIZE(sections));
}

static void test_parse(void)
{
	CLEANUP_BUF struct buf b = BUF_INIT(65536);
	struct error err = ERROR_INIT;
	const uint8_t *data;
	size_t size;
	struct pe pe;

	build(&b);
	need(pe_parse(b.data, b.len, &pe, &err) == 0, "a small image is read");
	ok(pe.plus && pe.machine == 0x8664, "PE32+ for x86-64");
	ok_int(pe.header_offset, IMAGE_PE, "PE header");
	ok_int(pe.optional_offset, IMAGE_OPTIONAL, "optional header");
	ok_int(pe.section_table_offset, IMAGE_TABLE, "section table");
	ok_int(pe.checksum_offset, IMAGE_CHECKSUM, "checksum");
	ok_int(pe.security_entry_offset, IMAGE_SECURITY, "certificate table's entry");
	ok_int(pe.security_size, 0, "no certificates");
	ok_int(pe.size_of_headers, IMAGE_HEADERS, "SizeOfHeaders");
	ok_int(pe.size_of_image, 0x4000, "SizeOfImage");
	ok_int(pe.section_alignment, 0x1000, "SectionAlignment");
	ok_int(pe.file_alignment, 0x200, "FileAlignment");
	ok_int(pe.major_image_version, 3, "MajorImageVersion");
	need(pe.section_count == 3, "three sections");
	ok_str(pe.sections[2].name, ".longest", "a name of eight bytes is whole");
	ok_int(pe.sections[1].virtual_size, 600, "VirtualSize");
	ok_int(pe.sections[1].virtual_address, 0x2000, "VirtualAddress");
	ok_int(pe.sections[1].raw_offset, 0x600, "PointerToRawData");
	ok_int(pe.sections[1].raw_size, 0x400, "SizeOfRawData");
	ok_int(pe.sections[1].characteristics, 0x40000040, "Characteristics");
	ok_int(pe.sections[1].header_offset, IMAGE_TABLE + 40, "place of the header");
	ok(pe_find(&pe, ".words") == &pe.sections[1], "a section is found by name");
	ok(!pe_find(&pe, ".word") && !pe_find(&pe, ".words2"), "by its whole name");

	pe_section_bytes(&pe, &pe.sections[1], &data, &size);
	ok(size == 600 && data == b.data + 0x600, "contents end at VirtualSize");
	write_le32(b.data + IMAGE_TABLE + 40 + 8, 5000);
	need(pe_parse(b.data, b.len, &pe, &err) == 0, "a VirtualSize above SizeOfRawData is read");
	pe_section_bytes(&pe, &pe.sections[1], &data, &size);
	ok_int(size, 0x400, "and the contents end with the file's");
	write_le32(b.data + IMAGE_TABLE + 40 + 16, 0);
	write_le32(b.data + IMAGE_TABLE + 40 + 20, 0xfffffff0);
	need(pe_parse(b.data, b.len, &pe, &err) == 0, "a section without bytes may point anywhere");
	pe_section_bytes(&pe, &pe.sections[1], &data, &size);
	ok_int(size, 0, "and has no contents");
}

static void test_broken(void)
{
	const struct {
		size_t offset;
		unsigned int width;
		uint32_t value;
		const char *message, *what;
	} cases[] = {
		{ 0, 2, 0x4d5a, "no \"MZ\" at offset 0", "no MZ" },
		{ 0x3c, 4, 0x3f, "offset 0x3c points to 0x3f", "PE header inside the DOS header" },
		{ 0x3c, 4, 0xbf0, "outside of the file", "PE header across the end" },
		{ 0x3c, 4, 0xffffffff, "outside of the file", "PE header far outside" },
		{ IMAGE_PE, 2, 0x4550 + 1, "no \"PE\" at offset 0x40", "no PE" },
		{ IMAGE_OPTIONAL, 2, 0x107, "has magic 0x107", "a ROM image" },
		{ IMAGE_PE + 20, 2, 111, "cut short", "optional header too small" },
		{ IMAGE_PE + 20, 2, 0xffff, "cut short", "optional header too large" },
		{ IMAGE_PE + 20, 2, 248, "does not hold 16 directories", "room for no whole number" },
		{ IMAGE_OPTIONAL + 108, 4, 15, "does not hold 15 directories", "fewer directories" },
		{ IMAGE_OPTIONAL + 108, 4, 0x20000010, "directories", "very many directories" },
		{ IMAGE_SECURITY, 4, 0xbf9, "certificate table at offset 0xbf9", "certificates cut short" },
		{ IMAGE_PE + 6, 2, 97, "97 sections", "too many sections" },
		{ IMAGE_PE + 6, 2, 18, "passes the headers' end", "section table past the headers" },
		{ IMAGE_OPTIONAL + 60, 4, 0xc01, "cut short at 0xc00", "headers larger than the file" },
		{ IMAGE_OPTIONAL + 60, 4, 0x1bf, "passes the headers' end", "headers end in the table" },
		{ IMAGE_TABLE + 20, 4, 0xa01, "header at offset 0x148: 0x200 bytes at 0xa01",
		  "a section across the end" },
		{ IMAGE_TABLE + 80 + 16, 4, 0xfffffe00, "header at offset 0x198", "a section of 4 GiB" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_BUF struct buf b = BUF_INIT(65536);
		struct error err = ERROR_INIT;
		struct pe pe = { .size = 77 };

		build(&b);
		write_le32(b.data + IMAGE_SECURITY + 4, i == 11 ? 8 : 0);
		if (cases[i].width == 2)
			write_le16(b.data + cases[i].offset, (uint16_t)cases[i].value);
		else
			write_le32(b.data + cases[i].offset, cases[i].value);
		ok_int(pe_parse(b.data, b.len, &pe, &err), -EINVAL, "refused: %s", cases[i].what);
		ok_error(&err, cases[i].message, "the message says where: %s", cases[i].what);
		ok(err.kind == ERROR_INPUT && pe.size == 77, "ret is untouched: %s", cases[i].what);
	}
}

static void test_truncated(void)
{
	CLEANUP_BUF struct buf b = BUF_INIT(65536);
	unsigned int accepted = 0;
	struct error err = ERROR_INIT;
	struct pe pe;

	build(&b);
	for (size_t len = 0; len < b.len; len++) {
		/* A copy of just this size, so that a read past it is seen by the sanitizer. */
		CLEANUP_FREE uint8_t *copy = malloc(len ? len : 1);

		need(copy, "memory");
		memcpy(copy, b.data, len);
		accepted += pe_parse(copy, len, &pe, &err) == 0;
	}
	ok_int(accepted, 0, "an image cut anywhere is refused");
}

struct range {
	size_t from, to;
};

/* The same digest by a second way: the ranges that count, written down by hand. */
static bool same_as_ranges(const struct buf *b, const struct range *ranges, size_t count)
{
	struct error err = ERROR_INIT;
	bool same = true;
	struct pe pe;

	need(pe_parse(b->data, b->len, &pe, &err) == 0, "the image is read");
	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		CLEANUP_BUF struct buf whole = BUF_INIT(1 << 20);
		struct digest got, expected;

		for (size_t i = 0; i < count; i++)
			buf_add(&whole, b->data + ranges[i].from, ranges[i].to - ranges[i].from);
		digest_of((enum digest_alg)alg, whole.data, whole.len, &expected);
		same = pe_authenticode(&pe, (enum digest_alg)alg, &got, &err) == 0 &&
		       digest_equal(&got, &expected) && same;
	}
	return same;
}

#define HEADER_RANGES \
	{ 0, IMAGE_CHECKSUM }, { IMAGE_CHECKSUM + 4, IMAGE_SECURITY }, { IMAGE_SECURITY + 8, IMAGE_HEADERS }

static void test_authenticode(void)
{
	const struct range plain[] = { HEADER_RANGES, { 0x400, 0xc00 } };
	const struct range trailing[] = { HEADER_RANGES, { 0x400, 0xc05 } };
	CLEANUP_BUF struct buf b = BUF_INIT(65536);

	build(&b);
	ok(same_as_ranges(&b, plain, ARRAY_SIZE(plain)), "all but checksum and certificate entry");
	write_le32(b.data + IMAGE_CHECKSUM, 0x9abcdef0);
	image_sign(&b, "signature", 9);
	ok(same_as_ranges(&b, plain, ARRAY_SIZE(plain)), "and certificates");

	buf_truncate(&b, 0xc00);
	write_le32(b.data + IMAGE_SECURITY, 0);
	write_le32(b.data + IMAGE_SECURITY + 4, 0);
	buf_add(&b, "after", 5);
	ok(same_as_ranges(&b, trailing, ARRAY_SIZE(trailing)),
	   "bytes after the sections count, without padding to 8");
}

static void test_authenticode_order(void)
{
	/* Sections 1 and 3 of the table change places: .text 0x200, .words 0x400, .longest 0x200 bytes. */
	const struct range ordered[] = { HEADER_RANGES, { 0x400, 0xc00 } };
	/* .words is left out: the rest is sought 0x400 bytes before its place, at the sum of sizes. */
	const struct range gap[] = { HEADER_RANGES, { 0x400, 0x600 }, { 0xa00, 0xc00 }, { 0x800, 0xc00 } };
	/* .words lies over .text and a hole is where it was: the sizes' sum is the file's size again. */
	const struct range overlap[] = { HEADER_RANGES, { 0x400, 0x600 }, { 0x400, 0x800 }, { 0xa00, 0xc00 } };
	CLEANUP_BUF struct buf b = BUF_INIT(65536);
	uint8_t header[40];

	build(&b);
	memcpy(header, b.data + IMAGE_TABLE, 40);
	memcpy(b.data + IMAGE_TABLE, b.data + IMAGE_TABLE + 80, 40);
	memcpy(b.data + IMAGE_TABLE + 80, header, 40);
	ok(same_as_ranges(&b, ordered, ARRAY_SIZE(ordered)), "sections count in the file's order");

	buf_truncate(&b, 0);
	build(&b);
	write_le32(b.data + IMAGE_TABLE + 40 + 16, 0);
	ok(same_as_ranges(&b, gap, ARRAY_SIZE(gap)), "after a gap the rest is sought at the sum of sizes");

	buf_truncate(&b, 0);
	build(&b);
	write_le32(b.data + IMAGE_TABLE + 40 + 20, 0x400);
	ok(same_as_ranges(&b, overlap, ARRAY_SIZE(overlap)),
	   "sections that overlap are hashed each, the table's order deciding between equals");
}

static void test_authenticode_kinds(void)
{
	const struct range none[] = { { 0, IMAGE_CHECKSUM }, { IMAGE_CHECKSUM + 4, 0xc00 } };
	const struct range small[] = { { 0, IMAGE_CHECKSUM },
				       { IMAGE_CHECKSUM + 4, IMAGE_OPTIONAL + 96 + 32 },
				       { IMAGE_OPTIONAL + 96 + 40, 0xc00 } };
	CLEANUP_BUF struct buf b = BUF_INIT(65536);
	struct error err = ERROR_INIT;
	struct digest digest;
	struct pe pe;

	build(&b);
	memmove(b.data + IMAGE_OPTIONAL + 112 + 32, b.data + IMAGE_TABLE, 120);
	write_le16(b.data + IMAGE_PE + 20, 112 + 32);
	write_le32(b.data + IMAGE_OPTIONAL + 108, 4);
	ok(same_as_ranges(&b, none, ARRAY_SIZE(none)), "without a certificate directory nothing is left out there");

	buf_truncate(&b, 0);
	build(&b);
	memmove(b.data + IMAGE_OPTIONAL + 96 + 128, b.data + IMAGE_TABLE, 120);
	write_le16(b.data + IMAGE_PE + 20, 96 + 128);
	write_le16(b.data + IMAGE_OPTIONAL, 0x10b);
	write_le32(b.data + IMAGE_OPTIONAL + 92, 16);
	ok(same_as_ranges(&b, small, ARRAY_SIZE(small)), "PE32 has its directories elsewhere");

	buf_truncate(&b, 0);
	build(&b);
	buf_add(&b, "12345678", 8);
	write_le32(b.data + IMAGE_SECURITY, 0xb00);
	write_le32(b.data + IMAGE_SECURITY + 4, 9);
	need(pe_parse(b.data, b.len, &pe, &err) == 0, "certificates inside a section are read");
	ok_int(pe_authenticode(&pe, DIGEST_SHA256, &digest, &err), -EINVAL,
	       "but have no digest when more than what follows the sections");
	ok_error(&err, "overlaps the sections", "and the message says so");
}

/* The image of build() by an independent program, so that both ways above cannot be wrong alike. */
static void test_golden(void)
{
	CLEANUP_BUF struct buf b = BUF_INIT(65536);
	struct error err = ERROR_INIT;
	char hex[2 * DIGEST_MAX + 1];
	struct digest digest;
	struct pe pe;

	build(&b);
	need(pe_parse(b.data, b.len, &pe, &err) == 0, "the image is read");
	pe_authenticode(&pe, DIGEST_SHA256, &digest, &err);
	digest_hex(&digest, hex);
	ok_str(hex, "ef0ad208e8dda4c5ea12bd04095ee13b4f0663a954361889f4225f42f549c3ad", "Authenticode, sha256");
	pe_authenticode(&pe, DIGEST_SHA384, &digest, &err);
	digest_hex(&digest, hex);
	ok_str(hex,
	       "aa56cda1083c3c4893391283b0c746b0c14ecae06e64208389ee666ded1cab39745bd96ce15fdab0519a6a6047148aca", "Authenticode, sha384");
}

/* Debian's own images, whose PCR 4 real boots have shown. */
static const struct vector {
	const char *file, *sha256, *authenticode_sha256, *authenticode_sha384, *pcr4;
} vectors[] = {
	{ "systemd-boot-efi 252.39-1~deb12u2 linuxx64.efi.stub",
	  "c62ae56ffaf49d1a61de4434f4f531dd1d4ed3b5aee46c934c56e3f809b22cc4",
	  "28fd6b9a39b745449fa2389a31045900804eae49ea7edb0f8c152a131df0002c",
	  "d4abea8d6e4a0c1952aa28b3ba459492730b3de024fd45380512fdee33c56ae283b60c5902bf40634102f0d485262ce2",
	  "c75b34300f05ac582a84fd9cfcc62e5b1fe43e01de5e24e3c7f8e865cad47c4440e87bb75e68e2cba57086fe3795d2ad" },
	{ "systemd-boot-efi 252.39-1~deb12u2 systemd-bootx64.efi",
	  "10288fece5e90ce3ba3e7160f49695b022d648f7ef41774678db8c77774db167", NULL,
	  "58ed6f28e9fb7dbb77e69c8f79653f47925412e4b0cc62713d57580891eaf734bde066f82405b23a1aeb388b4838418e",
	  "d50feafe1543044befb2737ca3c5b1c3ade1c7448b65032244db10231e7a0c013765df02682d13c4d2905bb654248be4" },
	{ "systemd-boot-efi 257.13-1~deb13u1 linuxx64.efi.stub",
	  "9c623743834bb904a3cb941092cffc958c31230263ce896d332a75e9ec48aa85", NULL,
	  "e1e48a26ed74f0da6308988d2d77b8e15bdfa537085816d749ce373e2574b824d2ab56d7ce7925060069eb56b2b1c7f9",
	  "47c170c2ce8868bdbdf8179bd6a15add103c547e03dbe4356c944d35b990c6f76ade8f09d8d22063da9e4ba835da6711" },
};

static void boot_alone(const struct digest *image, struct digest *ret)
{
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	struct pcr_event event = { .pcr = 4, .type = EV_EFI_BOOT_SERVICES_APPLICATION };
	static const char action[] = "Calling EFI Application from Boot Option";

	pcr_log_add_data(&log, 4, EV_EFI_ACTION, "action", action, sizeof(action) - 1);
	pcr_log_add_data(&log, 4, EV_SEPARATOR, "separator", "\0\0\0", 4);
	event.digests[DIGEST_SHA384] = *image;
	pcr_log_add(&log, &event);
	pcr_replay(&log, 4, DIGEST_SHA384, ret);
}

static void check_vector(const struct pe *pe, const struct vector *v)
{
	struct error err = ERROR_INIT;
	char hex[2 * DIGEST_MAX + 1];
	struct digest digest, pcr;

	need(pe_authenticode(pe, DIGEST_SHA256, &digest, &err) == 0, "%s has a digest", v->file);
	digest_hex(&digest, hex);
	if (v->authenticode_sha256)
		ok_str(hex, v->authenticode_sha256, "Authenticode sha256 of %s", v->file);
	need(pe_authenticode(pe, DIGEST_SHA384, &digest, &err) == 0, "%s has a digest", v->file);
	digest_hex(&digest, hex);
	ok_str(hex, v->authenticode_sha384, "Authenticode sha384 of %s", v->file);
	boot_alone(&digest, &pcr);
	digest_hex(&pcr, hex);
	ok_str(hex, v->pcr4, "PCR 4 of %s booted alone", v->file);
}

static void test_real(const char *path)
{
	CLEANUP_IO_MAP struct io_map map = { 0 };
	struct error err = ERROR_INIT;
	char hex[2 * DIGEST_MAX + 1];
	struct digest sha256;
	struct pe pe;

	need(io_map_file(path, &map, &err) == 0, "%s: %s", path, err.message);
	need(pe_parse(map.data, map.size, &pe, &err) == 0, "%s: %s", path, err.message);
	ok(pe.plus && pe.section_count > 0, "the real image is read");
	digest_of(DIGEST_SHA256, map.data, map.size, &sha256);
	digest_hex(&sha256, hex);
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		if (strcmp(vectors[i].sha256, hex) == 0)
			check_vector(&pe, &vectors[i]);
}

int main(void)
{
	const char *real = getenv("KILN_TEST_STUB");

	test_parse();
	test_broken();
	test_truncated();
	test_authenticode();
	test_authenticode_order();
	test_authenticode_kinds();
	test_golden();
	if (real)
		test_real(real);
	return tap_done();
}
