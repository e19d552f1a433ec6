/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include <unistd.h>

#include "rootfs/packages/store_needs.h"
#include "rootfs/packages/store_verify.h"
#include "tests/unit/store_fixture.h"

static struct scratch dir = SCRATCH_INIT;

static void test_needs(const struct store_fixture *f)
{
	CLEANUP_STORE_NEEDS struct store_needs needs = { .items = NULL };

	store_needs_make(&f->locks, &needs);
	ok_int(needs.count, 3, "a lock needs its packages and their index");
	ok_str(store_needs_find(&needs, f->one)->name, "one 1.0 (amd64)", "a package by its name");
	ok_int(store_needs_find(&needs, f->one)->size, strlen(ONE), "with its size");
	ok_str(store_needs_find(&needs, f->index)->name, "the index of test's image packages", "and an index");
	ok(!store_needs_find(&needs, f->other), "and nothing else");
}

static void test_whole(const struct store_fixture *f)
{
	CLEANUP_STORE_FINDINGS struct store_findings findings = { .items = NULL };
	struct error err = ERROR_INIT;

	ok_int(store_verify(f->store, NULL, &findings, &err), 0, "a store is verified");
	ok_int(findings.count, 0, "nothing is wrong with it");
	ok_int(findings.checked, 4, "all of it has been looked at");
}

static void test_faults(const struct store_fixture *f)
{
	CLEANUP_STORE_FINDINGS struct store_findings findings = { .items = NULL };
	CLEANUP_FREE char *stray = path_join(store_directory(f->store), "notes.txt");
	CLEANUP_FREE char *other = store_path(f->store, f->other), *one = store_path(f->store, f->one);
	struct error err = ERROR_INIT;

	fixture_damage(f, f->one, "the package onE");
	fixture_damage(f, f->other, "");
	need(io_write_file(stray, "x", 1, 0644, &err) == 0, "a stray file");
	ok_int(store_verify(f->store, NULL, &findings, &err), 0, "what is wrong is no error");
	need(findings.count == 3, "three things are wrong: %zu", findings.count);
	ok_str(findings.items[0].name, f->other, "what no index names is called by its digest");
	ok_int(findings.items[0].fault, STORE_DAMAGED, "it is damaged");
	ok_int(findings.items[1].fault, STORE_STRAY, "a file that is no object is told");
	ok_str(findings.items[1].path, stray, "by its path");
	ok_str(findings.items[2].name, "one 1.0 (amd64)", "a package is told by name");
	ok_str(findings.items[2].path, one, "and place");
	ok(strstr(findings.items[2].why, "its SHA-256 is "), "and what it has become");
	ok(io_exists(one) && io_exists(other), "nothing is moved");
	ok_int(store_remove_damaged(&findings, &err), 0, "unless told");
	ok(!io_exists(one) && !io_exists(other) && io_exists(stray), "then what is damaged goes, and nothing else");
	need(unlink(stray) == 0, "unlink");
}

static void test_needed(const struct store_fixture *f)
{
	CLEANUP_STORE_FINDINGS struct store_findings findings = { .items = NULL };
	CLEANUP_STORE_NEEDS struct store_needs needs = { .items = NULL };
	struct error err = ERROR_INIT;

	store_needs_make(&f->locks, &needs);
	fixture_damage(f, f->other, "no concern of the image");
	fixture_damage(f, f->two, "X");
	ok_int(store_verify(f->store, &needs, &findings, &err), 0, "what an image needs");
	need(findings.count == 2, "two things are wrong");
	ok_int(findings.items[0].fault, STORE_MISSING, "one is missing");
	ok_str(findings.items[0].name, "one 1.0 (amd64)", "by name");
	ok_int(findings.items[1].fault, STORE_DAMAGED, "one is damaged");
	ok_str(findings.items[1].name, "two 1.0 (amd64)", "by name");
	ok_int(findings.checked, 3, "of three");
}

int main(void)
{
	struct error err = ERROR_INIT;
	struct store_fixture f;

	need(io_scratch_new("/tmp", &dir, &err) == 0, "scratch directory");
	fixture_make(&f, dir.path);
	test_needs(&f);
	test_whole(&f);
	test_faults(&f);
	test_needed(&f);
	fixture_free(&f);
	io_scratch_free(&dir);
	return tap_done();
}
