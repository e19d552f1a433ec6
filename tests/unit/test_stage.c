/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include <sys/stat.h>

#include "factory/base/cleanup.h"
#include "factory/base/digest.h"
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

static struct digest finish(struct digester *key)
{
	struct digest d;

	digester_final(key, &d);
	return d;
}

/* Pairs that a careless concatenation would give one key. */
static void test_strings(void)
{
	CLEANUP_DIGESTER struct digester *key = digester_new(DIGEST_SHA256);
	struct digest a, b;

	stage_key_string(key, "ab", "c");
	a = finish(key);
	stage_key_string(key, "a", "bc");
	b = finish(key);
	ok(!digest_equal(&a, &b), "label and text do not run together");
	stage_key_string(key, "a", NULL);
	a = finish(key);
	stage_key_string(key, "a", "");
	b = finish(key);
	ok(!digest_equal(&a, &b), "missing is not empty");
	stage_key_string(key, "a", "x");
	stage_key_string(key, "b", NULL);
	a = finish(key);
	stage_key_string(key, "a", NULL);
	stage_key_string(key, "b", "x");
	b = finish(key);
	ok(!digest_equal(&a, &b), "which one is missing counts");
	stage_key_number(key, "a", 0);
	a = finish(key);
	stage_key_string(key, "a", "");
	b = finish(key);
	ok(!digest_equal(&a, &b), "zero is not empty");
	stage_key_number(key, "a", 1);
	a = finish(key);
	stage_key_number(key, "a", 1ull << 32);
	b = finish(key);
	ok(!digest_equal(&a, &b), "all 64 bits count");
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

static struct digest tree(const char *path)
{
	CLEANUP_DIGESTER struct digester *key = digester_new(DIGEST_SHA256);
	struct error err = ERROR_INIT;

	need(stage_key_tree(key, "overlay", path, &err) == 0, "the key of %s: %s", path, err.message);
	return finish(key);
}

static void test_tree(const char *scratch)
{
	CLEANUP_FREE char *one = path_join(scratch, "one"), *two = path_join(scratch, "two");
	CLEANUP_FREE char *a = path_join(two, "a"), *link = path_join(two, "link");
	CLEANUP_FREE char *sub = path_join(two, "sub"), *moved = path_join(two, "tub");
	CLEANUP_FREE char *alias = path_join(scratch, "alias");
	struct error err = ERROR_INIT;
	struct digest key, now;

	make_tree(one, false);
	make_tree(two, true);
	key = tree(one);
	now = tree(two);
	ok(digest_equal(&key, &now), "where a tree lies and how it was made does not matter");
	need(symlink("one", alias) == 0, "a link to it");
	now = tree(alias);
	ok(digest_equal(&key, &now), "nor the link it is reached by");

	need(chmod(a, 0600) == 0, "chmod");
	now = tree(two);
	ok(!digest_equal(&key, &now), "a file's mode matters");
	need(chmod(a, 0644) == 0, "chmod");
	need(unlink(link) == 0 && symlink("b", link) == 0, "relink");
	now = tree(two);
	ok(!digest_equal(&key, &now), "a link's target matters");
	need(unlink(link) == 0 && symlink("a", link) == 0, "relink");
	now = tree(two);
	ok(digest_equal(&key, &now), "and back");
	need(io_write_file(a, "two", 3, 0644, &err) == 0, "rewrite");
	now = tree(two);
	ok(!digest_equal(&key, &now), "contents matter");
	need(io_write_file(a, "one", 3, 0644, &err) == 0, "rewrite");
	need(rename(sub, moved) == 0, "rename");
	now = tree(two);
	ok(!digest_equal(&key, &now), "names matter");
}

/* /d/x and then /e is not /d, with /x and /e beside it: depth is part of the key. */
static void test_depth(const char *scratch)
{
	CLEANUP_FREE char *deep = path_join(scratch, "deep/d/x"), *flat = path_join(scratch, "flat/d");
	CLEANUP_FREE char *deep_top = path_join(scratch, "deep"), *flat_top = path_join(scratch, "flat");
	CLEANUP_FREE char *beside = path_join(scratch, "flat/x");
	struct error err = ERROR_INIT;
	struct digest a, b;

	need(io_mkdirs(deep, 0755, &err) == 0 && io_mkdirs(flat, 0755, &err) == 0 &&
	     io_mkdirs(beside, 0755, &err) == 0, "two trees");
	a = tree(deep_top);
	b = tree(flat_top);
	ok(!digest_equal(&a, &b), "nesting matters");
}

static void test_refusals(const char *scratch)
{
	CLEANUP_DIGESTER struct digester *key = digester_new(DIGEST_SHA256);
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
	test_tree(scratch.path);
	test_depth(scratch.path);
	test_refusals(scratch.path);
	return tap_done();
}
