/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>

#include "factory/base/hex.h"
#include "factory/model/bootfile.h"
#include "tests/unit/tiny_disk.h"

#define OTHER_HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char *disk_path(const struct fixture *f)
{
	return artifacts_path(f->artifacts, "disk.raw");
}

/* Changes one byte of the disk. */
static void spoil(const struct fixture *f, uint64_t offset)
{
	CLEANUP_CLOSE int fd = open(disk_path(f), O_RDWR | O_CLOEXEC);
	struct error err = ERROR_INIT;
	uint8_t byte;

	need(io_pread_full(fd, &byte, 1, offset, "disk", &err) == 0, "%s", err.message);
	byte ^= 1;
	need(io_pwrite_full(fd, &byte, 1, offset, "disk", &err) == 0, "%s", err.message);
}

static uint64_t partition_offset(const struct fixture *f, const uint8_t *type)
{
	CLEANUP_BOOTFILE struct bootfile *b = NULL;
	struct error err = ERROR_INIT;

	need(bootfile_open(disk_path(f), &b, &err) == 0, "%s", err.message);
	return bootfile_partition(b, type)->offset;
}

static void test_good_disk(void)
{
	CLEANUP_BOOTFILE struct bootfile *b = NULL, *bare = NULL;
	CLEANUP_FREE char *cmdline = NULL;
	struct error err = ERROR_INIT;
	uint8_t hash[32];
	struct fixture f;

	tiny_disk(&f, NULL);
	need(bootfile_open(disk_path(&f), &b, &err) == 0, "it opens (%s)", err.message);
	ok(b->disk && b->gpt.count == 3, "as a disk of three partitions");
	ok_int(b->gpt_event_size, 92 + 8 + 3 * 128, "the GPT event has three entries");
	need(bootfile_open(artifacts_path(f.artifacts, "uki.efi"), &bare, &err) == 0, "so does the UKI");
	ok(!bare->disk && bare->image_size == b->image_size &&
	   memcmp(bare->image, b->image, b->image_size) == 0, "which is the disk's boot file");
	cmdline = bootfile_cmdline(b);
	ok(strncmp(cmdline, "quiet roothash=", 15) == 0, "the command line: %s", cmdline);
	ok_int(bootfile_root_hash(cmdline, hash), 0, "has a root hash");
	ok_int(bootfile_check_root(b, &err), 0, "that fits everything else (%s)", err.message);
	ok(bootfile_check_root(bare, &err) < 0, "a bare UKI has no root");
	fixture_close(&f);
}

static void expect_verdict(struct fixture *f, const char *part, const char *what)
{
	CLEANUP_BOOTFILE struct bootfile *b = NULL;
	struct error err = ERROR_INIT;

	need(bootfile_open(disk_path(f), &b, &err) == 0, "%s: it opens (%s)", what, err.message);
	ok(bootfile_check_root(b, &err) < 0 && err.kind == ERROR_VERDICT, "%s: the verdict is no", what);
	ok_error(&err, part, "%s: for this reason", what);
	fixture_close(f);
}

static void test_root_verdicts(void)
{
	static const uint8_t other[16] = { 1 };
	CLEANUP_BUF struct buf out = BUF_INIT(65536);
	char id[GUID_TEXT_SIZE], change[64];
	struct fixture f;

	tiny_disk(&f, OTHER_HASH);
	expect_verdict(&f, "the root partition's id is", "another root hash in the command line");
	tiny_disk(&f, "none");
	expect_verdict(&f, "names no root hash", "no root hash in the command line");

	tiny_disk(&f, NULL);
	guid_format(other, id);
	snprintf(change, sizeof(change), "3:%s", id);
	need(fixture_tool((const char *const[]) { "sgdisk", "-u", change, disk_path(&f), NULL }, &out) == 0,
	     "sgdisk");
	expect_verdict(&f, "the verity partition's id is", "another id");

	tiny_disk(&f, NULL);
	spoil(&f, partition_offset(&f, gpt_type_root_verity_x86_64) + 4096 + 17);
	expect_verdict(&f, "does not have the root hash", "a changed top block");

	tiny_disk(&f, NULL);
	spoil(&f, partition_offset(&f, gpt_type_root_verity_x86_64));
	expect_verdict(&f, "verity partition at byte", "a changed superblock");
}

static void test_architectures(void)
{
	for (size_t i = 0; i < architecture_count; i++) {
		const struct architecture *arch = &architectures[i], *other = &architectures[i == 0];
		CLEANUP_BOOTFILE struct bootfile *b = NULL;
		CLEANUP_FREE char *expected = string_printf("\\EFI\\BOOT\\%s", arch->efi_name);
		struct error err = ERROR_INIT;
		struct fixture f;

		tiny_disk_for(&f, arch, arch->pe_machine, NULL);
		need(bootfile_open(disk_path(&f), &b, &err) == 0, "a disk for %s opens (%s)", arch->name, err.message);
		ok(b->arch == arch, "it is known to be for %s", arch->name);
		ok_str(b->boot_path, expected, "where that finds its boot file");
		ok_int(bootfile_check_root(b, &err), 0, "and its root fits (%s)", err.message);
		fixture_close(&f);
		tiny_disk_for(&f, arch, other->pe_machine, NULL);
		expect_verdict(&f, "the boot file is for machine 0x", "a boot file for another machine");
	}
}

static void expect_input_error(const char *path, const char *part, const char *what)
{
	struct bootfile *b = NULL;
	struct error err = ERROR_INIT;

	ok(bootfile_open(path, &b, &err) < 0 && err.kind == ERROR_INPUT, "%s is refused", what);
	ok_error(&err, part, "%s: for this reason", what);
	ok(strncmp(err.message, path, strlen(path)) == 0, "%s: the message begins with the file", what);
}

static void test_bad_disks(void)
{
	static const struct {
		off_t size;
		const char *part;
	} cuts[] = {
		{ 0, "neither a disk" },
		{ 600, "GPT" },
		{ 1 << 20, "cut off at byte 1048576: partition 1 (\"esp\") reaches to byte 3145728" },
		{ (1 << 20) + 4096, "partition 1" },
		{ 3 << 20, "partition 2" },
		{ (1 << 30) - 512, "the backup GPT belongs at sector 2097151" },
	};
	struct fixture f;

	for (size_t i = ARRAY_SIZE(cuts); i-- > 0;) {
		CLEANUP_FREE char *what = string_printf("a disk cut at %jd", (intmax_t)cuts[i].size);

		tiny_disk(&f, NULL);
		need(truncate(disk_path(&f), cuts[i].size) == 0, "truncate");
		expect_input_error(disk_path(&f), cuts[i].part, what);
		fixture_close(&f);
	}

	tiny_disk(&f, NULL);
	spoil(&f, 512 + 60);
	expect_input_error(disk_path(&f), "CRC", "a changed GPT header");
	fixture_close(&f);

	tiny_disk(&f, NULL);
	spoil(&f, (1 << 20) + 11);
	expect_input_error(disk_path(&f), "EFI system partition at byte 1048576", "a spoilt FAT");
	fixture_close(&f);
}

static void test_bad_files(void)
{
	CLEANUP_FREE char *gone = NULL;
	struct fixture f;

	fixture_open(&f);
	fixture_input(&f, "text", "neither of them", 15);
	fixture_input(&f, "cut.efi", "MZ and no more", 14);
	gone = path_join(f.scratch.path, "gone");
	expect_input_error(artifacts_path(f.artifacts, "text"), "neither a disk", "a text");
	expect_input_error(artifacts_path(f.artifacts, "cut.efi"), "byte", "a cut off PE image");
	expect_input_error(gone, "no such file", "a missing file");
	fixture_close(&f);
}

static void test_root_hash(void)
{
	static const struct {
		const char *cmdline;
		int result;
	} cases[] = {
		{ "roothash=" OTHER_HASH, 0 }, { "a b roothash=" OTHER_HASH " c", 0 },
		{ "", -ENOENT }, { "roothash=", -ENOENT }, { "xroothash=" OTHER_HASH, -ENOENT },
		{ "roothash=" OTHER_HASH "0", -ENOENT }, { "roothash=short", -ENOENT },
	};
	uint8_t hash[32];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ok_int(bootfile_root_hash(cases[i].cmdline, hash), cases[i].result, "\"%s\"",
		       cases[i].cmdline);
}

int main(void)
{
	test_good_disk();
	test_root_verdicts();
	test_architectures();
	test_bad_disks();
	test_bad_files();
	test_root_hash();
	return tap_done();
}
