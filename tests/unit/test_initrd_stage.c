/* SPDX-License-Identifier: Apache-2.0 */
#include <archive.h>
#include <archive_entry.h>

#include "stages/registry.h"
#include "tests/unit/stage_fixture.h"
#include "tests/unit/tar_archive.h"
#include "tests/unit/tool_tree.h"

#define ARCHIVE_MAX (1024 * 1024)

/* modules.tar with its members in another order than they are loaded in. */
static void add_modules_tar(struct fixture *f, const char *load)
{
	struct buf tar = BUF_INIT(ARCHIVE_MAX);

	tar_add(&tar, "kernel/", NULL, '5', "", 0);
	tar_add(&tar, "kernel/fs/erofs/erofs.ko", NULL, '0', "EROFS", 5);
	tar_add(&tar, "modules.load", NULL, '0', load, strlen(load));
	tar_add(&tar, "kernel/drivers/md/dm-mod.ko", NULL, '0', "DM", 2);
	tar_end(&tar);
	fixture_input(f, "modules.tar", tar.data, tar.len);
	buf_free(&tar);
}

/* By libarchive: another decompressor than the one that made it. */
static void unpack(struct fixture *f, struct buf *ret)
{
	CLEANUP_FREE char *path = path_join(f->output, "initrd");
	CLEANUP_BUF struct buf packed = BUF_INIT(ARCHIVE_MAX);
	struct archive *raw = archive_read_new();
	struct archive_entry *entry;
	struct error err = ERROR_INIT;
	uint8_t *room;
	ssize_t n;

	need(io_read_file(path, packed.max, &packed, &err) == 0, "the initrd reads back (%s)", err.message);
	ok(packed.len > 5 && memcmp(packed.data, "\x28\xb5\x2f\xfd", 4) == 0, "a zstd frame");
	ok(packed.data[4] & 4, "with a checksum");
	archive_read_support_filter_zstd(raw);
	archive_read_support_format_raw(raw);
	need(archive_read_open_memory(raw, packed.data, packed.len) == ARCHIVE_OK &&
	     archive_read_next_header(raw, &entry) == ARCHIVE_OK, "it opens");
	need(buf_reserve(ret, ARCHIVE_MAX - 1, &room) == 0, "memory");
	n = archive_read_data(raw, room, ARCHIVE_MAX - 1);
	need(n > 0, "it decompresses");
	ret->len = (size_t)n;
	archive_read_free(raw);
}

/* cpio's own listing, as an independent reader. */
static void check_listing(struct fixture *f, const struct buf *archive)
{
	static const char *const expected[] = {
		"drwxr-xr-x", " dev\n", "crw-------", " 5,   1 ", " dev/console\n", "-rwxr-xr-x", " init\n",
		" modules/kernel/drivers/md/dm-mod.ko\n", " modules/kernel/fs/erofs/erofs.ko\n",
		" modules.load\n",
	};
	CLEANUP_FREE char *path = path_join(f->scratch.path, "plain.cpio");
	CLEANUP_BUF struct buf out = BUF_INIT(65536);
	struct error err = ERROR_INIT;
	const char *at;

	need(io_write_file(path, archive->data, archive->len, 0644, &err) == 0, "plain.cpio");
	ok_int(fixture_tool((const char *const[]) { "cpio", "-itv", "--numeric-uid-gid", "--quiet", "-F",
						    path, NULL }, &out), 0, "cpio lists it");
	at = buf_text(&out);
	for (size_t i = 0; i < ARRAY_SIZE(expected) && at; i++) {
		at = strstr(at, expected[i]);
		ok(at != NULL, "the listing goes on with \"%.*s\"", (int)strcspn(expected[i], "\n"),
		   expected[i]);
	}
	if (!at)
		printf("# %s\n", buf_text(&out));
}

static bool holds(const struct buf *b, const char *text)
{
	return memmem(b->data, b->len, text, strlen(text)) != NULL;
}

static void test_initrd(void)
{
	CLEANUP_BUF struct buf archive = BUF_INIT(ARCHIVE_MAX);
	struct error err = ERROR_INIT;
	struct fixture f;

	fixture_open(&f);
	tool_tree_add(&f);
	fixture_input(&f, "init", "#!init", 6);
	add_modules_tar(&f, "kernel/drivers/md/dm-mod.ko\nkernel/fs/erofs/erofs.ko\n");
	need(fixture_run(&f, &stage_initrd, &err) == 0, "the stage runs (%s)", err.message);
	unpack(&f, &archive);
	check_listing(&f, &archive);
	ok(holds(&archive, "/modules/kernel/drivers/md/dm-mod.ko\n/modules/kernel/fs/erofs/erofs.ko\n"),
	   "modules.load has the paths that /init opens, in order");
	fixture_close(&f);
}

static void test_missing(const char *load, const char *part)
{
	struct error err = ERROR_INIT;
	CLEANUP_FREE char *path = NULL;
	struct fixture f;

	fixture_open(&f);
	tool_tree_add(&f);
	fixture_input(&f, "init", "#!init", 6);
	add_modules_tar(&f, load);
	path = path_join(f.output, "initrd");
	ok(fixture_run(&f, &stage_initrd, &err) < 0, "a module that is not there is an error");
	ok_error(&err, part, "which names it");
	ok(!io_exists(path), "and there is no initrd");
	fixture_close(&f);
}

static void test_same_bytes(void)
{
	CLEANUP_BUF struct buf a = BUF_INIT(ARCHIVE_MAX), b = BUF_INIT(ARCHIVE_MAX);
	struct buf *const both[] = { &a, &b };
	struct error err = ERROR_INIT;

	for (int i = 0; i < 2; i++) {
		CLEANUP_FREE char *path = NULL;
		struct fixture f;

		fixture_open(&f);
		tool_tree_add(&f);
		fixture_pattern(&f, "init", 100000);
		add_modules_tar(&f, "kernel/drivers/md/dm-mod.ko\n");
		need(fixture_run(&f, &stage_initrd, &err) == 0, "the stage runs (%s)", err.message);
		path = path_join(f.output, "initrd");
		need(io_read_file(path, ARCHIVE_MAX, both[i], &err) == 0, "and is read");
		fixture_close(&f);
	}
	ok(a.len == b.len && memcmp(a.data, b.data, a.len) == 0, "twice the same bytes");
}

int main(void)
{
	test_initrd();
	test_missing("kernel/net/none.ko\n", "kernel/net/none.ko");
	test_same_bytes();
	return tap_done();
}
