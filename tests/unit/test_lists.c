/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/cleanup.h"
#include "factory/base/hex.h"
#include "factory/base/io.h"
#include "rootfs/packages/lists.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static struct scratch dir = SCRATCH_INIT;

static void add(struct package_lists *lists, const char *content, unsigned int repository)
{
	CLEANUP_FREE char *path = string_printf("%s/list%u", dir.path, repository);
	struct error err = ERROR_INIT;

	need(io_write_file(path, content, strlen(content), 0644, &err) == 0, "write a list");
	ok_int(package_lists_add(lists, path, repository, &err), 0, "list %u", repository);
}

static const struct listed_package *find(const struct package_lists *lists, const char *hex)
{
	uint8_t sha256[32];

	need(hex_decode(hex, sha256, 32) == 0, "hex");
	return package_lists_find(lists, sha256);
}

int main(void)
{
	CLEANUP_PACKAGE_LISTS struct package_lists lists = { 0 }, none = { 0 };
	const struct listed_package *found;
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &dir, &err) == 0, "scratch directory");
	add(&lists, "Package: b\nSHA256: " B "\n\nPackage: a\nVersion: 2\nSHA256: " A "\n", 1);
	add(&lists, "Package: a\nProvides: virtual (= 1), another,\n third\nSHA256: " A "\n\n"
	    "Package: unlockable\nMD5sum: 00\n\nPackage: bad\nSHA256: zz\n\nSHA256: " C "\n", 0);
	add(&lists, "", 2);
	package_lists_sort(&lists);

	found = find(&lists, A);
	need(found, "found by digest");
	ok(text_equal(found->name, "a"), "by its digest");
	ok_int(found->repository, 0, "in the first repository that has it");
	found = find(&lists, B);
	ok(found && text_equal(found->name, "b") && found->repository == 1, "another");
	ok(!find(&lists, C), "a stanza without a name is no package");
	ok(package_lists_know(&lists, "a") && package_lists_know(&lists, "b"), "by name");
	ok(package_lists_know(&lists, "virtual") && package_lists_know(&lists, "another") &&
	   package_lists_know(&lists, "third"), "what is provided is known");
	ok(!package_lists_know(&lists, "virtua") && !package_lists_know(&lists, "virtuals") &&
	   !package_lists_know(&lists, ""), "names count whole");
	ok(!package_lists_know(&lists, "unlockable"), "without a SHA-256 it cannot be locked");
	ok(!package_lists_know(&none, "a") && !find(&none, A), "no lists, no packages");
	ok(package_lists_add(&none, "/nonexistent", 0, &err) < 0, "a list that is not there");
	io_scratch_free(&dir);
	return tap_done();
}
