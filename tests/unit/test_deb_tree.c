/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include <sys/stat.h>
#include <unistd.h>

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "rootfs/packages/deb_tree.h"
#include "tests/unit/deb_package.h"

#define CONTROL "Package: test\nVersion: 1.0\nArchitecture: amd64\n"
#define MANY 40

static struct scratch dir = SCRATCH_INIT;
static struct store *store;

static const char *const wanted[] = { "usr/bin/", "usr/lib/", NULL };
static const char *const skipped[] = { "usr/lib/systemd/", NULL };

static char *fresh(void)
{
	static unsigned int count;

	return string_printf("%s/out%u/tree", dir.path, count++);
}

static bool has(const char *out, const char *name, const char *content)
{
	CLEANUP_FREE char *path = path_join(out, name);
	CLEANUP_BUF struct buf b = BUF_INIT(4096);
	struct error err = ERROR_INIT;

	return io_read_file(path, 4096, &b, &err) == 0 && strcmp(buf_text(&b), content) == 0;
}

static bool absent(const char *out, const char *name)
{
	CLEANUP_FREE char *path = path_join(out, name);
	struct stat st;

	return lstat(path, &st) < 0;
}

static void test_selection(void)
{
	static const struct deb_entry one[] = {
		{ "./usr/", AE_IFDIR, NULL },
		{ "./usr/bin/tool", AE_IFREG, "tool" },
		{ "./usr/bin/alias", AE_IFLNK, "tool" },
		{ "./usr/lib/x/libx.so.1", AE_IFREG, "library" },
		{ "./usr/lib/systemd/unit", AE_IFREG, "unit" },
		{ "./usr/share/doc/tool", AE_IFREG, "text" },
		{ "./etc/tool.conf", AE_IFREG, "settings" },
		{ "./dev/null", AE_IFCHR, NULL },
	};
	static const struct deb_entry two[] = {
		{ "./usr/lib/x/libx.so", AE_IFLNK, "libx.so.1" },
		{ "./usr/lib/x/host", AE_IFLNK, "/etc/passwd" },
		{ "./usr/bin/other", AE_IFREG, "other" },
		{ "./usr/bin/again", 0, "./usr/bin/other" },
	};
	struct locked_package packages[2];
	const struct lock_set set = { .packages = packages, .count = 2 };
	CLEANUP_FREE char *out = fresh();
	struct error err = ERROR_INIT;

	deb_store(store, CONTROL, ARCHIVE_FILTER_XZ, one, ARRAY_SIZE(one), &packages[0]);
	deb_store(store, CONTROL, ARCHIVE_FILTER_ZSTD, two, ARRAY_SIZE(two), &packages[1]);
	ok_int(deb_tree(store, &set, wanted, skipped, out, &err), 0, "two packages (%s)", err.message);
	ok(has(out, "usr/bin/tool", "tool") && has(out, "usr/bin/other", "other"), "files of both");
	ok(has(out, "usr/bin/alias", "tool") && has(out, "usr/bin/again", "other"), "links");
	ok(has(out, "usr/lib/x/libx.so", "library"), "a link of one to a file of the other");
	ok(absent(out, "usr/lib/systemd") && absent(out, "usr/share") && absent(out, "etc") &&
	   absent(out, "dev"), "nothing else");
	ok(absent(out, "usr/lib/x/host"), "no link to what the host has");
	ok(deb_tree(store, &set, wanted, skipped, out, &err) < 0, "over a tree that is there");
	ok_error(&err, "File exists", "nothing is written");
}

static void test_evil(void)
{
	static const struct {
		struct deb_entry entries[2];
		const char *complaint;
	} cases[] = {
		{ { { "./usr/bin/../../../escaped", AE_IFREG, "x" } }, "leads outside" },
		{ { { "./usr/bin/link", AE_IFLNK, "../../../escaped" } }, "outside" },
		{ { { "./usr/bin/hard", 0, "../escaped" } }, "outside" },
		{ { { "./usr/bin/link", AE_IFLNK, "../lib" }, { "./usr/bin/link/file", AE_IFREG, "x" } },
		  "link/file" },
		{ { { "./usr/bin/pipe", AE_IFIFO, NULL } }, "neither file, link nor directory" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_FREE char *out = fresh(), *escaped = path_join(dir.path, "escaped");
		struct locked_package package;
		const struct lock_set set = { .packages = &package, .count = 1 };
		struct error err = ERROR_INIT;

		deb_store(store, CONTROL, ARCHIVE_FILTER_NONE, cases[i].entries,
			  cases[i].entries[1].name ? 2 : 1, &package);
		ok(deb_tree(store, &set, wanted, NULL, out, &err) < 0, "evil package %zu is refused", i);
		ok_error(&err, cases[i].complaint, "with a reason");
		ok(!io_exists(escaped), "and nothing has got out");
	}
}

/* Many packages: whatever runs side by side, one error comes back whole. */
static void test_many(void)
{
	struct locked_package packages[MANY];
	struct lock_set set = { .packages = packages, .count = MANY };
	CLEANUP_FREE char *out = fresh(), *broken = fresh();
	struct error err = ERROR_INIT;
	size_t found = 0;

	for (size_t i = 0; i < MANY; i++) {
		CLEANUP_FREE char *name = string_printf("./usr/lib/many/%zu", i);
		const struct deb_entry entry = { name, AE_IFREG, name };

		deb_store(store, CONTROL, ARCHIVE_FILTER_XZ, &entry, 1, &packages[i]);
		packages[i].size = i * 7 % MANY;
	}
	ok_int(deb_tree(store, &set, wanted, NULL, out, &err), 0, "%d packages", MANY);
	for (size_t i = 0; i < MANY; i++) {
		CLEANUP_FREE char *content = string_printf("./usr/lib/many/%zu", i);

		found += has(out, content, content);
	}
	ok_int(found, MANY, "every file");
	packages[MANY / 2].name = (char *)"the-one";
	packages[MANY / 2].sha256[0] ^= 1;
	ok(deb_tree(store, &set, wanted, NULL, broken, &err) < 0, "one of them is not in the store");
	ok_error(&err, "the-one (SHA-256 ", "and is named");
	set.count = 0;
	err = (struct error)ERROR_INIT;
	ok_int(deb_tree(store, &set, wanted, NULL, out, &err), 0, "no package at all");
}

int main(void)
{
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &dir, &err) == 0, "scratch directory");
	need(store_open(dir.path, &store, &err) == 0, "store");
	test_selection();
	test_evil();
	test_many();
	store_free(store);
	io_scratch_free(&dir);
	return tap_done();
}
