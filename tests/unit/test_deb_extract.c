/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include <sys/stat.h>
#include <unistd.h>

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "rootfs/packages/deb_index.h"
#include "rootfs/packages/packages.h"
#include "tests/unit/deb_package.h"

#define CONTROL "Package: test\nVersion: 1.0\nArchitecture: amd64\n"

static struct scratch dir = SCRATCH_INIT;
static struct store *store;

/* A directory that no earlier case has used. */
static char *fresh(void)
{
	static unsigned int count;

	return string_printf("%s/out%u", dir.path, count++);
}

static bool has(const char *out, const char *name, const char *content)
{
	CLEANUP_FREE char *path = path_join(out, name);
	CLEANUP_BUF struct buf b = BUF_INIT(4096);
	struct error err = ERROR_INIT;

	return io_read_file(path, 4096, &b, &err) == 0 && strcmp(buf_text(&b), content) == 0;
}

static void test_good(int filter, const char *compression)
{
	static const struct deb_entry entries[] = {
		{ "./usr/", AE_IFDIR, NULL },
		{ "./usr/share/OVMF/CODE.fd", AE_IFREG, "code" },
		{ "./usr/share/OVMF/sub/empty", AE_IFREG, "" },
		{ "./usr/share/OVMF/ALIAS.fd", AE_IFLNK, "CODE.fd" },
		{ "./usr/share/OVMF/sub/up", AE_IFLNK, "../../CODE.fd" },
		{ "./usr/share/OVMF/again", 0, "./usr/share/OVMF/CODE.fd" },
		{ "./usr/share/OVMFother", AE_IFREG, "no" },
		{ "./etc/other", AE_IFREG, "no" },
		{ "./dev/null", AE_IFCHR, NULL },
	};
	CLEANUP_FREE char *out = fresh(), *other = path_join(out, "etc/other");
	struct locked_package package;
	struct error err = ERROR_INIT;

	deb_store(store, CONTROL, filter, entries, ARRAY_SIZE(entries), &package);
	ok_int(deb_extract(store, &package, "usr/share/OVMF/", out, &err), 0, "%s: extracted", compression);
	ok(has(out, "usr/share/OVMF/CODE.fd", "code"), "a file");
	ok(has(out, "usr/share/OVMF/sub/empty", ""), "an empty one");
	ok(has(out, "usr/share/OVMF/ALIAS.fd", "code"), "through a link");
	ok(has(out, "usr/share/OVMF/again", "code"), "by its second name");
	ok(!has(out, "usr/share/OVMFother", "no") && !io_exists(other), "and nothing beside the prefix");
}

static void test_evil(void)
{
	static const struct {
		struct deb_entry entries[2];
		const char *complaint;
	} cases[] = {
		{ { { "../escaped", AE_IFREG, "x" } }, "leads outside" },
		{ { { "./a/../../escaped", AE_IFREG, "x" } }, "leads outside" },
		{ { { "/escaped", AE_IFREG, "x" } }, "leads outside" },
		{ { { "./a//b", AE_IFREG, "x" } }, "leads outside" },
		{ { { "./link", AE_IFLNK, "/etc" } }, "outside" },
		{ { { "./link", AE_IFLNK, "../escaped" } }, "outside" },
		{ { { "./a/link", AE_IFLNK, "../../escaped" } }, "outside" },
		{ { { "./a/link", AE_IFLNK, "b/../../../escaped" } }, "outside" },
		{ { { "./hard", 0, "../escaped" } }, "outside" },
		{ { { "./hard", 0, "./not-there" } }, "hard" },
		/* Through a link, even one that stays inside, nothing is written. */
		{ { { "./link", AE_IFLNK, "a" }, { "./link/file", AE_IFREG, "x" } }, "link/file" },
		{ { { "./a", AE_IFREG, "x" }, { "./a", AE_IFREG, "y" } }, "a" },
		{ { { "./fifo", AE_IFIFO, NULL } }, "neither file, link nor directory" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_FREE char *out = fresh(), *escaped = path_join(dir.path, "escaped");
		struct locked_package package;
		struct error err = ERROR_INIT;

		deb_store(store, CONTROL, ARCHIVE_FILTER_NONE, cases[i].entries,
			  cases[i].entries[1].name ? 2 : 1, &package);
		ok(deb_extract(store, &package, "", out, &err) < 0, "evil package %zu is refused", i);
		ok_error(&err, cases[i].complaint, "with a reason");
		ok(!io_exists(escaped), "and nothing has got out");
	}
}

static void test_broken(void)
{
	static const struct deb_entry entries[] = { { "./file", AE_IFREG, "content" } };
	struct locked_package package, absent, garbage;
	CLEANUP_FREE char *out = fresh(), *path = NULL;
	CLEANUP_BUF struct buf deb = BUF_INIT(1 << 20);
	struct error err = ERROR_INIT;

	deb_store(store, CONTROL, ARCHIVE_FILTER_XZ, entries, 1, &package);
	absent = garbage = package;
	absent.sha256[0] ^= 1;
	ok(deb_extract(store, &absent, "", out, &err) < 0, "a package that is not in the store");
	ok_error(&err, "test (SHA-256 ", "is named");
	need(store_add_bytes(store, "no archive", 10, garbage.sha256, &err) == 0, "store garbage");
	ok(deb_extract(store, &garbage, "", out, &err) < 0, "what is no archive");
	ok_error(&err, "package test", "is named");

	path = store_path(store, package.sha256);
	need(io_read_file(path, 1 << 20, &deb, &err) == 0, "read it");
	/* Within the compressed data: the ar header promises what is there. */
	memset(deb.data + deb.len - 60, 0x55, 40);
	need(store_add_bytes(store, deb.data, deb.len, garbage.sha256, &err) == 0, "store it broken");
	ok(deb_extract(store, &garbage, "", out, &err) < 0, "broken compression");
	ok_error(&err, "package test", "is named");
}

static void test_index(void)
{
	static const struct deb_entry entries[] = { { "./file", AE_IFREG, "content" } };
	struct locked_package packages[2];
	struct lock_set set = { .packages = packages, .count = 2 };
	CLEANUP_FREE char *path = NULL, *expected = NULL;
	CLEANUP_BUF struct buf index = BUF_INIT(4096);
	struct error err = ERROR_INIT;
	char sha256[65];

	deb_store(store, CONTROL "Description: one\n more\n\n\n", ARCHIVE_FILTER_NONE, entries, 1, &packages[0]);
	deb_store(store, CONTROL "Description: two\n", ARCHIVE_FILTER_NONE, entries, 1, &packages[1]);
	ok_int(deb_index(store, &set, sha256, &err), 0, "an index");
	path = store_path(store, sha256);
	expected = string_printf(CONTROL "Description: one\n more\nFilename: pool/test.deb\nSize: %" PRIu64
				 "\nSHA256: %s\n\n" CONTROL "Description: two\nFilename: pool/test.deb\n"
				 "Size: %" PRIu64 "\nSHA256: %s\n\n", packages[0].size, packages[0].sha256,
				 packages[1].size, packages[1].sha256);
	need(io_read_file(path, 4096, &index, &err) == 0, "read it");
	ok_str(buf_text(&index), expected, "one paragraph each, in order, with its place and digest");
	packages[1].version = (char *)"2.0";
	ok(deb_index(store, &set, sha256, &err) < 0, "a lock that says another version");
	ok_error(&err, "Version: 2.0", "is caught");
	deb_store(store, "\n", ARCHIVE_FILTER_NONE, entries, 1, &packages[1]);
	ok(deb_index(store, &set, sha256, &err) < 0, "a package without control");
}

int main(void)
{
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &dir, &err) == 0, "scratch directory");
	need(store_open(dir.path, &store, &err) == 0, "store");
	test_good(ARCHIVE_FILTER_NONE, "not compressed");
	test_good(ARCHIVE_FILTER_GZIP, "gzip");
	test_good(ARCHIVE_FILTER_XZ, "xz");
	test_good(ARCHIVE_FILTER_ZSTD, "zstd");
	test_evil();
	test_broken();
	test_index();
	store_free(store);
	io_scratch_free(&dir);
	return tap_done();
}
