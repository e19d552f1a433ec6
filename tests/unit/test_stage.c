/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include <sys/stat.h>

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "factory/model/stage.h"

static void test_artifacts(void)
{
	CLEANUP_ARTIFACTS struct artifacts *set = artifacts_new();

	ok(!artifacts_path(set, "uki"), "an empty set has nothing");
	artifacts_add(set, "uki", "/c/k1/uki", "k1/uki");
	artifacts_add(set, "uki.cmdline", "/c/k1/cmdline", "k1/cmdline");
	ok_str(artifacts_path(set, "uki"), "/c/k1/uki", "path");
	ok_str(artifacts_id(set, "uki"), "k1/uki", "id");
	ok_str(artifacts_id(set, "uki.cmdline"), "k1/cmdline", "names compare whole");
	ok(!artifacts_id(set, "esp"), "another is absent");
	artifacts_add(set, "uki", "/c/k2/uki", "k2/uki");
	ok_str(artifacts_path(set, "uki"), "/c/k2/uki", "the later one wins");
}

static struct stage_key *string_key(const char *label, const char *text)
{
	struct stage_key *key = stage_key_new();

	stage_key_string(key, label, text);
	return key;
}

static struct stage_key *number_key(const char *label, uint64_t value)
{
	struct stage_key *key = stage_key_new();

	stage_key_number(key, label, value);
	return key;
}

static struct stage_key *two_keys(const char *a, const char *b)
{
	struct stage_key *key = string_key("a", a);

	stage_key_string(key, "b", b);
	return key;
}

/* Takes both. */
static void differ(struct stage_key *a, struct stage_key *b, const char *what)
{
	char one[65], other[65];

	stage_key_digest(a, one);
	stage_key_digest(b, other);
	ok(strcmp(one, other) != 0, "%s", what);
	stage_key_free(a);
	stage_key_free(b);
}

/* Pairs that a careless concatenation would give one key. */
static void test_strings(void)
{
	differ(string_key("ab", "c"), string_key("a", "bc"), "label and text do not run together");
	differ(string_key("a", NULL), string_key("a", ""), "missing is not empty");
	differ(two_keys("x", NULL), two_keys(NULL, "x"), "which one is missing counts");
	differ(two_keys("x\nstring\tb\t\ty", "z"), two_keys("x", "y\nstring\tb\t\tz"),
	       "text cannot pass for another line");
	differ(string_key("a", "\\x0a"), string_key("a", "\n"), "nor for the escape of another");
	differ(number_key("a", 0), string_key("a", "0"), "a number is not its text");
	differ(number_key("a", 1), number_key("a", 1ull << 32), "all 64 bits count");
}

/* The form is part of the cache's contract: whoever changes it changes the first line too. */
static void test_text(void)
{
	CLEANUP_STAGE_KEY struct stage_key *key = stage_key_new();

	stage_key_string(key, "command\tline", "a\\b\n\xc3\xa9");
	stage_key_string(key, "locale", NULL);
	stage_key_number(key, "size", 3);
	stage_key_artifact(key, "init", "programs", "k/init");
	ok_str(stage_key_text(key), "kiln stage inputs 1\n"
	       "string\tcommand\\x09line\t\ta\\\\b\\x0a\xc3\xa9\n"
	       "none\tlocale\t\t\n"
	       "number\tsize\t\t3\n"
	       "artifact\tinit\tprograms\tk/init\n", "one line a thing");
}

/* What lock_set_digest() covers, the key covers; the packages are there by name besides. */
static void test_packages(void)
{
	CLEANUP_STAGE_KEY struct stage_key *key = stage_key_new();
	CLEANUP_LOCK struct lock *lock = lock_new();
	struct lock_set *set = &lock->sets[LOCK_BOOT];
	char digest[65];

	set->packages = calloc(1, sizeof(*set->packages));
	need(set->packages, "memory");
	set->count = 1;
	set->packages[0] = (struct locked_package) {
		.name = string_copy("stub"), .version = string_copy("1:2-3"), .architecture = string_copy("amd64"),
		.repository = string_copy("main"), .path = string_copy("pool/stub.deb"), .size = 1, .sha256 = "ab",
	};
	lock_set_digest(lock, LOCK_BOOT, digest);
	stage_key_packages(key, "boot", lock, LOCK_BOOT);

	CLEANUP_FREE char *expected = string_printf("kiln stage inputs 1\npackage\tboot\tstub:amd64\t1:2-3 ab\n"
						    "packages\tboot\t\t%s\n", digest);

	ok_str(stage_key_text(key), expected, "packages by name, and the whole set's digest");
}

/* The tree d/, d/a ("one"), d/sub/, d/sub/b (""), d/link -> a, made in any order. */
static void make_tree(const char *dir, bool backwards)
{
	CLEANUP_FREE char *a = path_join(dir, "a"), *sub = path_join(dir, "sub");
	CLEANUP_FREE char *b = path_join(sub, "b"), *link = path_join(dir, "link");
	struct error err = ERROR_INIT;
	bool good = io_mkdirs(sub, 0755, &err) == 0;

	if (!backwards)
		good = good && io_write_file(a, "one", 3, 0644, &err) == 0;
	good = good && symlink("a", link) == 0 && io_write_file(b, "", 0, 0755, &err) == 0;
	if (backwards)
		good = good && io_write_file(a, "one", 3, 0644, &err) == 0;
	need(good, "a tree is made: %s", err.message);
}

static void tree(const char *path, char ret[static 65])
{
	CLEANUP_STAGE_KEY struct stage_key *key = stage_key_new();
	struct error err = ERROR_INIT;

	need(stage_key_tree(key, "overlay", path, &err) == 0, "the key of %s: %s", path, err.message);
	stage_key_digest(key, ret);
}

static void test_tree(const char *scratch)
{
	CLEANUP_FREE char *one = path_join(scratch, "one"), *two = path_join(scratch, "two");
	CLEANUP_FREE char *a = path_join(two, "a"), *link = path_join(two, "link");
	CLEANUP_FREE char *sub = path_join(two, "sub"), *moved = path_join(two, "tub");
	CLEANUP_FREE char *alias = path_join(scratch, "alias");
	struct error err = ERROR_INIT;
	char key[65], now[65];

	make_tree(one, false);
	make_tree(two, true);
	tree(one, key);
	tree(two, now);
	ok(strcmp(key, now) == 0, "where a tree lies and how it was made does not matter");
	need(symlink("one", alias) == 0, "a link to it");
	tree(alias, now);
	ok(strcmp(key, now) == 0, "nor the link it is reached by");

	need(chmod(a, 0600) == 0, "chmod");
	tree(two, now);
	ok(strcmp(key, now) != 0, "a file's mode matters");
	need(chmod(a, 0644) == 0, "chmod");
	need(unlink(link) == 0 && symlink("b", link) == 0, "relink");
	tree(two, now);
	ok(strcmp(key, now) != 0, "a link's target matters");
	need(unlink(link) == 0 && symlink("a", link) == 0, "relink");
	tree(two, now);
	ok(strcmp(key, now) == 0, "and back");
	need(io_write_file(a, "two", 3, 0644, &err) == 0, "rewrite");
	tree(two, now);
	ok(strcmp(key, now) != 0, "contents matter");
	need(io_write_file(a, "one", 3, 0644, &err) == 0, "rewrite");
	need(rename(sub, moved) == 0, "rename");
	tree(two, now);
	ok(strcmp(key, now) != 0, "names matter");
}

/* /d/x and then /e is not /d, with /x and /e beside it: depth is part of the key. */
static void test_depth(const char *scratch)
{
	CLEANUP_FREE char *deep = path_join(scratch, "deep/d/x"), *flat = path_join(scratch, "flat/d");
	CLEANUP_FREE char *deep_top = path_join(scratch, "deep"), *flat_top = path_join(scratch, "flat");
	CLEANUP_FREE char *beside = path_join(scratch, "flat/x");
	struct error err = ERROR_INIT;
	char a[65], b[65];

	need(io_mkdirs(deep, 0755, &err) == 0 && io_mkdirs(flat, 0755, &err) == 0 &&
	     io_mkdirs(beside, 0755, &err) == 0, "two trees");
	tree(deep_top, a);
	tree(flat_top, b);
	ok(strcmp(a, b) != 0, "nesting matters");
}

static void test_refusals(const char *scratch)
{
	CLEANUP_STAGE_KEY struct stage_key *key = stage_key_new();
	CLEANUP_FREE char *dir = path_join(scratch, "odd"), *fifo = path_join(dir, "fifo");
	struct error err = ERROR_INIT;

	need(io_mkdirs(dir, 0755, &err) == 0 && mkfifo(fifo, 0600) == 0, "a named pipe");
	ok(stage_key_tree(key, "overlay", dir, &err) < 0 && err.kind == ERROR_INPUT,
	   "a named pipe is refused");
	ok_error(&err, "odd/fifo", "by name");
	err = (struct error)ERROR_INIT;
	ok(stage_key_tree(key, "overlay", "/nonexistent", &err) < 0, "a missing tree is an error");
	ok_error(&err, "/nonexistent", "by name");
}

int main(void)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &scratch, &err) == 0, "a scratch directory");
	test_artifacts();
	test_strings();
	test_text();
	test_packages();
	test_tree(scratch.path);
	test_depth(scratch.path);
	test_refusals(scratch.path);
	return tap_done();
}
