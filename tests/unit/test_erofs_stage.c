/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "factory/base/bytes.h"
#include "rootfs/toolbox.h"
#include "stages/registry.h"
#include "tests/unit/stage_fixture.h"
#include "tests/unit/tool_tree.h"
#include "tests/unit/tree_archive.h"

/*
 * The tree and its image by the pinned mkfs.erofs itself, which lies in the cache once anything was built
 * (`make check` does so first).
 */

#define ARCHIVE_MAX (4 << 20)
#define IMAGE_MAX (16 << 20)

/* ---------------------------------------------------------------- the trees */

static const char packages[] =
	"d boot\nf boot/vmlinuz-6 KERNEL\nd dev\nc dev/console\nd etc\nf etc/hostname old\nf etc/gone 1\nd proc\nd run\n"
	"f run/x 1\nd sys\nd tmp\nf tmp/x 1\nd usr\nd usr/bin\nf usr/bin/sh SHELL\nh usr/bin/dash usr/bin/sh\nl bin usr/bin\n"
	"l vmlinuz boot/vmlinuz-6\nl initrd.img.old boot/none\nd usr/share\n";
static const char changes[] =
	"d .\nd etc\nf etc/hostname new\nw etc/gone\no usr/share\nf usr/share/new 1\nd usr\n";

static const struct tar_attribute attributes[] = {
	{ "user.b", "2", 1 }, { "security.capability", "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20 },
	{ "user.a", "1", 1 },
};

/* Attributes in one order or the other; data that take mkfs.erofs more than one piece. */
static void add_large(struct buf *b, bool backwards)
{
	const size_t size = 3 << 19;
	struct tar_attribute order[ARRAY_SIZE(attributes)];
	CLEANUP_FREE char *data = malloc(size);
	uint32_t x = 1;

	need(data, "memory");
	for (size_t i = 0; i < size; i++) {
		x = x * 1664525 + 1013904223;
		data[i] = (char)('a' + (x >> 30));
	}
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		order[i] = attributes[backwards ? ARRAY_SIZE(order) - 1 - i : i];
	tree_archive_add(b, &(struct tar_member) { .path = "usr/bin/large", .type = TAR_FILE, .mode = 04755,
			 .uid = 1000, .gid = 70000, .size = size, .attributes = order,
			 .attribute_count = ARRAY_SIZE(order) }, data);
}

static int run_stages(struct fixture *f, const char *tools, const char *compression, bool backwards,
		      struct error *err)
{
	CLEANUP_BUF struct buf below = BUF_INIT(ARCHIVE_MAX), above = BUF_INIT(ARCHIVE_MAX);
	int r;

	fixture_open(f);
	f->description.compression = (char *)compression;
	artifacts_add(f->artifacts, TOOLBOX_TREE, tools, TOOLBOX_TREE);
	add_large(&below, backwards);
	tree_archive_make(&below, packages);
	tree_archive_make(&above, changes);
	fixture_input(f, "packages.tar", below.data, below.len);
	fixture_input(f, "changes.tar", above.data, above.len);
	r = fixture_run(f, &stage_tree, err);
	if (r < 0)
		return r;
	fixture_hand_on(f, "root.tar");
	return fixture_run(f, &stage_erofs, err);
}

static void read_image(const struct fixture *f, struct buf *ret)
{
	CLEANUP_FREE char *path = path_join(f->output, "root.erofs");
	struct error err = ERROR_INIT;

	need(io_read_file(path, IMAGE_MAX, ret, &err) == 0, "the image reads back: %s", err.message);
}

/* ---------------------------------------------------------------- what is in the image */

static void extract(const struct fixture *f, const char *tools, const char *to)
{
	CLEANUP_FREE char *image = path_join(f->output, "root.erofs"), *option = string_printf("--extract=%s", to);
	struct error err = ERROR_INIT;

	need(io_mkdirs(to, 0755, &err) == 0, "%s", err.message);
	need(toolbox_run(&(struct toolbox_command) {
		.tree = tools, .epoch = -1,
		.argv = (const char *const[]) { "fsck.erofs", "--no-preserve", "--force", option, image, NULL },
		.readable = (const char *const[]) { image, NULL },
		.writable = (const char *const[]) { to, NULL },
	}, &err) == 0, "fsck.erofs extracts it: %s", err.message);
}

static void expect_file(const char *directory, const char *name, const char *expected)
{
	CLEANUP_FREE char *path = path_join(directory, name);
	CLEANUP_BUF struct buf b = BUF_INIT(ARCHIVE_MAX);
	struct error err = ERROR_INIT;

	ok(io_read_file(path, ARCHIVE_MAX, &b, &err) == 0 && strcmp(buf_text(&b), expected) == 0, "%s is \"%s\"", name,
	   expected);
}

static void expect_nothing(const char *directory, const char *name)
{
	CLEANUP_FREE char *path = path_join(directory, name);
	struct stat st;

	ok(lstat(path, &st) < 0, "%s is not in it", name);
}

static void expect_empty(const char *directory, const char *name)
{
	CLEANUP_FREE char *path = path_join(directory, name);

	ok(rmdir(path) == 0, "%s is an empty directory", name);
}

static void test_contents(const struct fixture *f, const char *tools)
{
	static const char *const empty[] = { "boot", "dev", "proc", "run", "sys", "tmp" };
	static const char *const absent[] = { "etc/gone", "vmlinuz", "initrd.img.old" };
	CLEANUP_FREE char *to = path_join(f->scratch.path, "extracted"), *sh = path_join(to, "usr/bin/sh");
	CLEANUP_FREE char *link = path_join(to, "bin");
	char target[16] = "";
	struct stat st;

	extract(f, tools, to);
	expect_file(to, "etc/hostname", "new");
	expect_file(to, "usr/share/new", "1");
	expect_file(to, "usr/bin/dash", "SHELL");
	ok(stat(sh, &st) == 0 && st.st_nlink == 2, "two names of one file stay that");
	ok(readlink(link, target, sizeof(target) - 1) == 7 && strcmp(target, "usr/bin") == 0, "a link is a link");
	for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
		expect_nothing(to, absent[i]);
	for (size_t i = 0; i < ARRAY_SIZE(empty); i++)
		expect_empty(to, empty[i]);
}

static void expect_said(const struct buf *text, const char *part)
{
	if (!ok(strstr(buf_text(text), part), "dump.erofs says \"%s\"", part))
		printf("# %s\n", buf_text(text));
}

static void test_metadata(const struct fixture *f, const char *tools)
{
	CLEANUP_FREE char *image = path_join(f->output, "root.erofs");
	CLEANUP_BUF struct buf out = BUF_INIT(65536);
	struct error err = ERROR_INIT;

	need(toolbox_run(&(struct toolbox_command) {
		.tree = tools, .epoch = -1, .output = &out,
		.argv = (const char *const[]) { "dump.erofs", "--path=/usr/bin/large", image, NULL },
		.readable = (const char *const[]) { image, NULL },
	}, &err) == 0, "dump.erofs: %s", err.message);
	/* It leaves the higher bits of the mode out. */
	expect_said(&out, "Uid: 1000   Gid: 70000  Access: 0755/rwxr-xr-x");
	expect_said(&out, "Timestamp: 2023-11-14 22:13:20.000000000");
}

#define SUPERBLOCK 1024

static void test_superblock(const struct fixture *f, const struct buf *image)
{
	uint8_t uuid[16];

	plan_uuid(&f->plan, "erofs", uuid);
	ok(image->len % 4096 == 0 && read_le32(image->data + SUPERBLOCK) == 0xE0F5E1E2, "an EROFS image of whole blocks");
	ok(memcmp(image->data + SUPERBLOCK + 48, uuid, sizeof(uuid)) == 0, "its UUID is the plan's, as text says it");
	ok_int(read_le64(image->data + SUPERBLOCK + 24), f->plan.epoch, "made at the epoch");
}

/* ---------------------------------------------------------------- the same bytes */

/* In another directory, on one processor, from archives that list attributes in another order. */
static void test_same_bytes(const char *tools, const struct buf *first)
{
	CLEANUP_BUF struct buf second = BUF_INIT(IMAGE_MAX);
	struct error err = ERROR_INIT;
	cpu_set_t all, one;
	struct fixture f;
	int cpu = 0;

	need(sched_getaffinity(0, sizeof(all), &all) == 0, "this process' processors");
	while (!CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	need(sched_setaffinity(0, sizeof(one), &one) == 0, "one of them");
	ok(run_stages(&f, tools, "zstd,level=3", true, &err) == 0, "once more (%s)", err.message);
	read_image(&f, &second);
	ok(first->len == second.len && memcmp(first->data, second.data, first->len) == 0, "the same bytes");
	fixture_close(&f);
	(void)sched_setaffinity(0, sizeof(all), &all);
}

static void test_uncompressed(const char *tools, const struct buf *compressed)
{
	CLEANUP_BUF struct buf image = BUF_INIT(IMAGE_MAX);
	struct error err = ERROR_INIT;
	struct fixture f;

	ok(run_stages(&f, tools, "", false, &err) == 0, "without compression (%s)", err.message);
	read_image(&f, &image);
	ok(image.len > compressed->len + (1 << 19), "it is larger by what compression saves");
	fixture_close(&f);
}

static void test_refusal(const char *tools)
{
	struct error err = ERROR_INIT;
	CLEANUP_FREE char *path = NULL;
	struct fixture f;

	fixture_open(&f);
	f.description.compression = (char *)"zstd,level=3";
	artifacts_add(f.artifacts, TOOLBOX_TREE, tools, TOOLBOX_TREE);
	fixture_input(&f, "root.tar", "none", 4);
	path = path_join(f.output, "root.erofs");
	ok(fixture_run(&f, &stage_erofs, &err) < 0, "no image of what is no archive");
	ok_error(&err, "root.tar: the archive ends without its end mark", "the reason");
	ok(!io_exists(path), "and none is there");
	fixture_close(&f);
}

int main(void)
{
	CLEANUP_BUF struct buf image = BUF_INIT(IMAGE_MAX);
	CLEANUP_FREE char *tools = tool_tree_find();
	struct error err = ERROR_INIT;
	struct fixture f;

	need(run_stages(&f, tools, "zstd,level=3", false, &err) == 0, "tree and image are made: %s", err.message);
	read_image(&f, &image);
	test_superblock(&f, &image);
	test_contents(&f, tools);
	test_metadata(&f, tools);
	fixture_close(&f);
	test_same_bytes(tools, &image);
	test_uncompressed(tools, &image);
	test_refusal(tools);
	return tap_done();
}
