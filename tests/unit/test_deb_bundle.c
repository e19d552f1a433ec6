/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include <sys/stat.h>

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "rootfs/packages/deb_bundle.h"
#include "tests/unit/deb_package.h"

#define CONTROL "Package: test\nVersion: 1.0\nArchitecture: amd64\n"
#define ARCHIVE_MAX (4 << 20)

static struct scratch dir = SCRATCH_INIT;
static struct store *store;

static const char *const skipped[] = { "usr/share/doc/", NULL };
static const struct deb_bundle_extra extras[] = {
	{ "target", S_IFDIR | 0755, NULL, 0 },
	{ "tmp", S_IFDIR | 01777, NULL, 0 },
	{ "etc/passwd", S_IFREG | 0640, "root:x:0:0:root:/root:/bin/sh\n", 0 },
	{ "usr/bin/emulator", S_IFREG | 0755, "\x7f" "ELF\0\0\0", 7 },
	{ "usr/bin/awk", S_IFLNK | 0777, "mawk", 0 },
	{ .path = NULL },
};

static const struct deb_entry base[] = {
	{ "./", AE_IFDIR, NULL },
	{ "./bin", AE_IFLNK, "usr/bin" },
	{ "./usr/bin/", AE_IFDIR, NULL },
};
static const struct deb_entry tool[] = {
	{ "./bin/tool", AE_IFREG, "tool" },
	{ "./usr/share/doc/tool", AE_IFREG, "text" },
	{ "./usr/bin/again", 0, "./bin/tool" },
};

/* What an independent reader says: "MODE UID/GID SIZE NAME [-> TARGET]" a line. */
static void list(const char *path, struct buf *ret)
{
	struct archive *tar = archive_read_new();
	struct archive_entry *entry;
	int r;

	archive_read_support_format_tar(tar);
	need(archive_read_open_filename(tar, path, 10240) == ARCHIVE_OK, "the archive opens");
	while ((r = archive_read_next_header(tar, &entry)) == ARCHIVE_OK) {
		const char *link = archive_entry_symlink(entry), *hard = archive_entry_hardlink(entry);

		buf_printf(ret, "%o %d/%d %d %s%s%s%s%s\n", archive_entry_mode(entry),
			   (int)archive_entry_uid(entry), (int)archive_entry_gid(entry),
			   (int)archive_entry_size(entry), archive_entry_pathname(entry), link ? " -> " : "",
			   link ? link : "", hard ? " == " : "", hard ? hard : "");
		need(!archive_entry_uname(entry) || !archive_entry_uname(entry)[0], "no name of a user");
	}
	ok_int(r, ARCHIVE_EOF, "the archive ends where it should");
	archive_read_free(tar);
}

static void test_archive(void)
{
	struct locked_package packages[2];
	const struct lock_set set = { .packages = packages, .count = 2 };
	CLEANUP_FREE char *path = path_join(dir.path, "one.tar"), *again = path_join(dir.path, "two.tar");
	CLEANUP_BUF struct buf text = BUF_INIT(65536), a = BUF_INIT(ARCHIVE_MAX), b = BUF_INIT(ARCHIVE_MAX);
	struct error err = ERROR_INIT;

	deb_store(store, CONTROL, ARCHIVE_FILTER_XZ, tool, ARRAY_SIZE(tool), &packages[0]);
	deb_store(store, CONTROL, ARCHIVE_FILTER_GZIP, base, ARRAY_SIZE(base), &packages[1]);
	packages[1].name = (char *)"base-files";
	ok_int(deb_bundle(store, &set, "base-files", skipped, extras, path, &err), 0, "two packages (%s)",
	       err.message);
	list(path, &text);
	ok_str(buf_text(&text),
	       "120644 0/0 0 ./bin -> usr/bin\n"
	       "40644 0/0 0 ./usr/bin/\n"
	       "100644 0/0 4 ./bin/tool\n"
	       "644 0/0 0 ./usr/bin/again == ./bin/tool\n"
	       "40755 0/0 0 target/\n"
	       "41777 0/0 0 tmp/\n"
	       "100640 0/0 30 etc/passwd\n"
	       "100755 0/0 7 usr/bin/emulator\n"
	       "120777 0/0 0 usr/bin/awk -> mawk\n",
	       "the first package first, the others in order, what is added last");
	ok_int(deb_bundle(store, &set, "base-files", skipped, extras, again, &err), 0, "once more");
	need(io_read_file(path, ARCHIVE_MAX, &a, &err) == 0 && io_read_file(again, ARCHIVE_MAX, &b, &err) == 0,
	     "both read");
	ok(a.len == b.len && memcmp(a.data, b.data, a.len) == 0, "the same bytes");
	ok(deb_bundle(store, &set, NULL, skipped, extras, path, &err) < 0, "a file that is there");
	ok_error(&err, "one.tar", "is not overwritten");
}

static void test_missing(void)
{
	struct locked_package package;
	const struct lock_set set = { .packages = &package, .count = 1 };
	CLEANUP_FREE char *path = path_join(dir.path, "none.tar");
	struct error err = ERROR_INIT;

	deb_store(store, CONTROL, ARCHIVE_FILTER_XZ, tool, ARRAY_SIZE(tool), &package);
	package.sha256[0] ^= 1;
	ok(deb_bundle(store, &set, NULL, skipped, extras, path, &err) < 0, "a package that is not in the store");
	ok_error(&err, "test (SHA-256 ", "is named");
}

int main(void)
{
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &dir, &err) == 0, "scratch directory");
	need(store_open(dir.path, &store, &err) == 0, "store");
	test_archive();
	test_missing();
	store_free(store);
	io_scratch_free(&dir);
	return tap_done();
}
