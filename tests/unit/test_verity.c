/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/format/verity_write.h"

#include "factory/base/bytes.h"
#include "factory/base/cleanup.h"
#include "factory/base/hex.h"
#include "factory/base/io.h"
#include "factory/base/process.h"
#include "tap.h"

static void build(uint8_t sb[static VERITY_SUPERBLOCK_SIZE])
{
	memset(sb, 0, VERITY_SUPERBLOCK_SIZE);
	memcpy(sb, "verity\0\0", 8);
	write_le32(sb + 8, 1);
	write_le32(sb + 12, 1);
	memset(sb + 16, 0xaa, 16);
	memcpy(sb + 32, "sha256", 6);
	write_le32(sb + 64, 4096);
	write_le32(sb + 68, 1024);
	write_le64(sb + 72, 1000);
	sb[80] = 32;
	memset(sb + 88, 0x5a, 32);
}

static void test_parse(void)
{
	uint8_t bytes[VERITY_SUPERBLOCK_SIZE];
	struct verity_superblock sb;

	build(bytes);
	ok(verity_parse(bytes, sizeof(bytes), &sb) == NULL, "a superblock parses");
	ok_str(sb.algorithm, "sha256", "algorithm");
	ok_int(sb.data_block_size, 4096, "data block size");
	ok_int(sb.hash_block_size, 1024, "hash block size");
	ok_int(sb.data_blocks, 1000, "data blocks");
	ok_int(sb.salt_size, 32, "salt size");
	ok(sb.salt[31] == 0x5a && sb.salt[32] == 0, "salt");
	ok(sb.uuid[0] == 0xaa && sb.uuid[15] == 0xaa, "uuid");
}

static const struct damage {
	const char *what;
	size_t offset;
	uint64_t value;
	unsigned int bytes;
	const char *problem;
} damages[] = {
	{"signature", 7, 1, 1, "signature"},
	{"version 0", 8, 0, 4, "version"},
	{"version 2", 8, 2, 4, "version"},
	{"hash type 0", 12, 0, 4, "type"},
	{"no algorithm", 32, 0, 1, "algorithm"},
	{"blank in the algorithm", 34, ' ', 1, "algorithm"},
	{"upper case", 32, 'S', 1, "algorithm"},
	{"data block 256", 64, 256, 4, "block size"},
	{"data block 131072", 64, 131072, 4, "block size"},
	{"data block 5000", 64, 5000, 4, "block size"},
	{"data block 0", 64, 0, 4, "block size"},
	{"hash block 0", 68, 0, 4, "block size"},
	{"no data", 72, 0, 8, "data blocks"},
	{"too much data", 72, UINT64_MAX / 4096 + 1, 8, "data blocks"},
	{"salt of 257 bytes", 80, 257, 2, "salt"},
};

static void test_damage(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
		const struct damage *d = &damages[i];
		uint8_t bytes[VERITY_SUPERBLOCK_SIZE], value[8];
		struct verity_superblock sb = {.salt_size = 7};
		const char *problem;

		build(bytes);
		write_le64(value, d->value);
		memcpy(bytes + d->offset, value, d->bytes);
		problem = verity_parse(bytes, sizeof(bytes), &sb);
		ok(problem && strstr(problem, d->problem), "%s: refused: %s", d->what,
		   problem ? problem : "(accepted)");
		ok(sb.salt_size == 7, "%s: the output is untouched", d->what);
	}
}

static void test_edges(void)
{
	uint8_t bytes[VERITY_SUPERBLOCK_SIZE];
	struct verity_superblock sb;

	build(bytes);
	ok(verity_parse(bytes, sizeof(bytes) - 1, &sb) != NULL, "511 bytes are too short");
	ok(verity_parse(bytes, 0, &sb) != NULL, "nothing is too short");
	write_le16(bytes + 80, 256);
	memset(bytes + 88, 0x77, 256);
	ok(!verity_parse(bytes, sizeof(bytes), &sb) && sb.salt[255] == 0x77, "the longest salt");
	memset(bytes + 32, 'a', 32);
	ok(!verity_parse(bytes, sizeof(bytes), &sb), "an algorithm that fills its field");
	ok_int(strlen(sb.algorithm), 32, "is terminated all the same");
	write_le16(bytes + 80, 0);
	ok(!verity_parse(bytes, sizeof(bytes), &sb) && sb.salt[0] == 0, "no salt");
}

/* The independent writer. */
static void test_veritysetup(void)
{
	static const char salt[] = "00112233445566778899aabbccddeeff";
	static const char uuid[] = "01234567-89ab-cdef-0123-456789abcdef";
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_FREE char *data = NULL, *hash = NULL, *zeros = calloc(1, 200 * 4096);
	CLEANUP_IO_MAP struct io_map map = {NULL, 0};
	struct error err = ERROR_INIT;
	struct verity_superblock sb;
	uint8_t expected[16], written[VERITY_SUPERBLOCK_SIZE];
	char hex[33];

	need(zeros && io_scratch_new("/tmp", &scratch, &err) == 0, "%s", err.message);
	data = path_join(scratch.path, "data");
	hash = path_join(scratch.path, "hash");
	need(io_write_file(data, zeros, 200 * 4096, 0600, &err) == 0, "%s", err.message);
	need(io_write_file(hash, "", 0, 0600, &err) == 0, "%s", err.message);
	const char *argv[] = {"/usr/sbin/veritysetup",
			      "format",
			      "--salt",
			      salt,
			      "--uuid",
			      uuid,
			      data,
			      hash,
			      NULL};

	need(process_run(&(struct process_options){.argv = argv}, NULL, &err) == 0, "%s",
	     err.message);
	need(io_map_file(hash, &map, &err) == 0, "%s", err.message);
	const char *problem = verity_parse(map.data, map.size, &sb);
	need(!problem, "veritysetup: parses: %s", problem ? problem : "");
	ok_str(sb.algorithm, "sha256", "veritysetup: algorithm");
	ok_int(sb.data_blocks, 200, "veritysetup: data blocks");
	ok_int(sb.data_block_size, 4096, "veritysetup: data block size");
	ok_int(sb.hash_block_size, 4096, "veritysetup: hash block size");
	ok_int(sb.salt_size, 16, "veritysetup: salt size");
	hex_encode(sb.salt, 16, hex);
	ok_str(hex, salt, "veritysetup: salt");
	hex_decode("0123456789abcdef0123456789abcdef", expected, 16);
	ok(memcmp(sb.uuid, expected, 16) == 0, "veritysetup: uuid in text order");
	verity_write(&sb, written);
	ok(memcmp(written, map.data, sizeof(written)) == 0, "written again it is veritysetup's, byte for byte");
}

int main(void)
{
	test_parse();
	test_damage();
	test_edges();
	test_veritysetup();
	return tap_done();
}
