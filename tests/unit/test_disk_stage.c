/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/base/hex.h"
#include "factory/format/gpt.h"
#include "stages/registry.h"
#include "tests/unit/stage_fixture.h"

#define ROOT_HASH "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define MIB (1024 * 1024)

static void open_inputs(struct fixture *f)
{
	fixture_open(f);
	fixture_pattern(f, "esp.img", 3 * MIB);
	fixture_pattern(f, "root.erofs", 5 * 4096);
	fixture_pattern(f, "root.verity", 2 * 4096);
	fixture_input(f, "root.hash", ROOT_HASH "\n", 65);
}

static void check_partition(const struct gpt_partition *p, const uint8_t *type, const char *id,
			    const char *name, bool read_only)
{
	char text[GUID_TEXT_SIZE];

	ok(memcmp(p->type, type, 16) == 0, "%s: its type", name);
	ok_str(p->name, name, "%s: its name", name);
	if (id) {
		guid_format(p->id, text);
		ok_str(text, id, "%s: its id is its half of the root hash", name);
	}
	ok_int(p->attributes, read_only ? INT64_C(1) << 60 : 0, "%s: its attributes", name);
	ok_int(p->offset % MIB, 0, "%s: aligned to 1 MiB", name);
}

static void check_contents(const struct fixture *f, const struct io_map *disk,
			   const struct gpt_partition *p, const char *artifact)
{
	CLEANUP_IO_MAP struct io_map source = { 0 };
	struct error err = ERROR_INIT;

	need(io_map_file(artifacts_path(f->artifacts, artifact), &source, &err) == 0, "%s", artifact);
	ok(source.size <= p->size && memcmp(disk->data + p->offset, source.data, source.size) == 0,
	   "%s lies at the start of its partition", artifact);
}

static void test_disk(void)
{
	CLEANUP_BUF struct buf out = BUF_INIT(65536);
	CLEANUP_IO_MAP struct io_map disk = { 0 };
	struct error err = ERROR_INIT;
	static struct gpt gpt;
	const char *path;
	struct fixture f;
	struct stat st;

	open_inputs(&f);
	need(fixture_run(&f, &stage_disk, &err) == 0, "the stage runs (%s)", err.message);
	fixture_hand_on(&f, "disk.raw");
	path = artifacts_path(f.artifacts, "disk.raw");
	need(io_map_file(path, &disk, &err) == 0, "the disk reads back");
	ok_int(disk.size, INT64_C(1) << 30, "one whole GiB");
	need(stat(path, &st) == 0, "stat");
	ok(st.st_blocks * 512 < 16 * MIB, "sparse: %jd bytes on disk", (intmax_t)st.st_blocks * 512);

	ok(gpt_parse(disk.data, disk.size, disk.size, &gpt) == NULL, "Kiln's reader takes the table");
	need(gpt.count == 3, "three partitions");
	ok_int(gpt.alternate_lba, disk.size / 512 - 1, "the backup table is at the disk's end");
	check_partition(&gpt.partitions[0], gpt_type_esp, NULL, "esp", false);
	check_partition(&gpt.partitions[1], gpt_type_root_x86_64,
			"00010203-0405-0607-0809-0a0b0c0d0e0f", "root-x86-64", true);
	check_partition(&gpt.partitions[2], gpt_type_root_verity_x86_64,
			"10111213-1415-1617-1819-1a1b1c1d1e1f", "root-x86-64-verity", true);
	check_contents(&f, &disk, &gpt.partitions[0], "esp.img");
	check_contents(&f, &disk, &gpt.partitions[1], "root.erofs");
	check_contents(&f, &disk, &gpt.partitions[2], "root.verity");

	ok_int(fixture_tool((const char *const[]) { "sgdisk", "-v", path, NULL }, &out), 0, "sgdisk -v");
	ok(strstr(buf_text(&out), "No problems found"), "sgdisk finds no problems");
	fixture_close(&f);
}

static void test_arm64(void)
{
	struct error err = ERROR_INIT;
	static struct gpt gpt;
	CLEANUP_IO_MAP struct io_map disk = { 0 };
	struct fixture f;

	open_inputs(&f);
	f.plan.arch = architecture_find("aarch64");
	need(fixture_run(&f, &stage_disk, &err) == 0, "the stage runs for another machine (%s)", err.message);
	fixture_hand_on(&f, "disk.raw");
	need(io_map_file(artifacts_path(f.artifacts, "disk.raw"), &disk, &err) == 0, "the disk reads back");
	need(!gpt_parse(disk.data, disk.size, disk.size, &gpt) && gpt.count == 3, "with its table");
	check_partition(&gpt.partitions[1], gpt_type_root_arm64,
			"00010203-0405-0607-0809-0a0b0c0d0e0f", "root-arm64", true);
	check_partition(&gpt.partitions[2], gpt_type_root_verity_arm64,
			"10111213-1415-1617-1819-1a1b1c1d1e1f", "root-arm64-verity", true);
	fixture_close(&f);
}

/* libfdisk stamps a new label with random ids; none may be left. */
static void test_same_bytes(void)
{
	CLEANUP_BUF struct buf out = BUF_INIT(4096);
	struct error err = ERROR_INIT;
	CLEANUP_FREE char *first = NULL, *second = NULL;
	struct fixture a, b;

	open_inputs(&a);
	open_inputs(&b);
	need(fixture_run(&a, &stage_disk, &err) == 0, "the stage runs once (%s)", err.message);
	need(fixture_run(&b, &stage_disk, &err) == 0, "and again elsewhere (%s)", err.message);
	first = path_join(a.output, "disk.raw");
	second = path_join(b.output, "disk.raw");
	ok_int(fixture_tool((const char *const[]) { "cmp", first, second, NULL }, &out), 0,
	       "both disks are the same bytes");
	fixture_close(&a);
	fixture_close(&b);
}

static void test_least_size(void)
{
	struct error err = ERROR_INIT;
	CLEANUP_FREE char *path = NULL;
	struct fixture f;
	struct stat st;

	open_inputs(&f);
	f.description.size_gib = 3;
	need(fixture_run(&f, &stage_disk, &err) == 0, "the stage runs with size 3 (%s)", err.message);
	path = path_join(f.output, "disk.raw");
	ok(stat(path, &st) == 0 && st.st_size == INT64_C(3) << 30, "three GiB as described");
	fixture_close(&f);
}

static void test_bad_inputs(void)
{
	struct error err = ERROR_INIT;
	struct fixture f;

	open_inputs(&f);
	fixture_input(&f, "root.hash", "short\n", 6);
	ok(fixture_run(&f, &stage_disk, &err) < 0, "a root hash that is none is refused");
	ok_error(&err, "no root hash", "with its reason");
	fixture_close(&f);

	err = (struct error) ERROR_INIT;
	open_inputs(&f);
	fixture_input(&f, "esp.img", "", 0);
	ok(fixture_run(&f, &stage_disk, &err) < 0, "an empty ESP is refused");
	ok_error(&err, "make no partition", "with its reason");
	fixture_close(&f);
}

int main(void)
{
	test_disk();
	test_arm64();
	test_same_bytes();
	test_least_size();
	test_bad_inputs();
	return tap_done();
}
