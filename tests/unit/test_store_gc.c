/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "rootfs/packages/store_gc.h"
#include "rootfs/packages/store_needs.h"
#include "tests/unit/store_fixture.h"

/* Seconds since 1970 for objects' last uses. */
#define LONG_AGO 1000
#define LATELY 3000

static struct scratch dir = SCRATCH_INIT;
static const struct store_needs nothing = { .items = NULL };

static void set_used(const struct store_fixture *f, const char *sha256, time_t when)
{
	const struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };
	CLEANUP_FREE char *path = store_path(f->store, sha256);

	need(utimensat(AT_FDCWD, path, times, 0) == 0, "utimensat");
}

static void set_all(const struct store_fixture *f, time_t when)
{
	set_used(f, f->one, when);
	set_used(f, f->two, when);
	set_used(f, f->index, when);
	set_used(f, f->other, when);
}

/* Which of the objects are there: "one two index other". */
static const char *left(const struct store_fixture *f)
{
	static char text[64];

	(void)snprintf(text, sizeof(text), "%s%s%s%s", store_has(f->store, f->one) ? "one " : "",
		       store_has(f->store, f->two) ? "two " : "", store_has(f->store, f->index) ? "index " : "",
		       store_has(f->store, f->other) ? "other " : "");
	return text;
}

static void collect(const struct store_fixture *f, const struct store_gc_options *options, size_t expected)
{
	CLEANUP_STORE_GARBAGE struct store_garbage garbage = { .list = STORE_LIST_INIT };
	struct error err = ERROR_INIT;

	ok_int(store_gc(f->store, options, &garbage, &err), 0, "collected");
	ok_int(garbage.count, expected, "that many");
}

static void test_needed(const struct store_fixture *f)
{
	CLEANUP_STORE_GARBAGE struct store_garbage garbage = { .list = STORE_LIST_INIT };
	CLEANUP_STORE_NEEDS struct store_needs needs = { .items = NULL };
	struct store_gc_options options = { .keep = &needs, .dry_run = true };
	struct error err = ERROR_INIT;

	store_needs_make(&f->locks, &needs);
	set_all(f, LONG_AGO);
	ok_int(store_gc(f->store, &options, &garbage, &err), 0, "a dry run");
	ok_int(garbage.count, 1, "finds what no lock needs");
	ok_str(garbage.list.objects[0].sha256, f->other, "and says what");
	ok_int(garbage.size, strlen(OTHER), "and how much");
	ok_int(garbage.list.count - garbage.count, 3, "and what stays");
	ok(garbage.kept_size > strlen(ONE TWO), "and how much of that");
	ok_str(left(f), "one two index other ", "but removes nothing");
	options.dry_run = false;
	collect(f, &options, 1);
	ok_str(left(f), "one two index ", "a run removes it, however old the rest is");
}

static void test_age(const struct store_fixture *f)
{
	struct store_gc_options options = { .keep = &nothing, .before = { .tv_sec = 2000 }, .has_before = true };

	set_all(f, LONG_AGO);
	set_used(f, f->one, LATELY);
	set_used(f, f->other, LATELY);
	collect(f, &options, 2);
	ok_str(left(f), "one other ", "what was of use lately stays");
}

static void test_index(const struct store_fixture *f)
{
	struct store_gc_options options = { .keep = &nothing, .before = { .tv_sec = 2000 }, .has_before = true };
	CLEANUP_FREE char *path = NULL;
	struct error err = ERROR_INIT;

	set_all(f, LONG_AGO);
	ok_int(store_verified(f->store, f->index, "index", &path, &err), 0, "an index is used");
	collect(f, &options, 1);
	ok_str(left(f), "one two index ", "then so are the packages it names");
}

static void test_both(const struct store_fixture *f)
{
	CLEANUP_STORE_NEEDS struct store_needs needs = { .items = NULL };
	const struct store_gc_options options = {
		.keep = &needs, .before = { .tv_sec = 2000 }, .has_before = true,
	};

	store_needs_make(&f->locks, &needs);
	set_all(f, LONG_AGO);
	set_used(f, f->other, LATELY);
	collect(f, &options, 0);
	ok_str(left(f), "one two index other ", "what is needed stays, and what was of use lately");
}

static void test_remains(const struct store_fixture *f)
{
	struct store_gc_options options = { .keep = &nothing };
	CLEANUP_FREE char *half = string_printf("%s/%.2s/.kiln-AbCdEf", store_directory(f->store), f->one);
	CLEANUP_FREE char *notes = path_join(store_directory(f->store), "notes");
	CLEANUP_FREE char *scratch = path_join(store_directory(f->store), "kiln-scratch-1-AbCdEf");
	struct error err = ERROR_INIT;

	need(io_write_file(half, "x", 1, 0644, &err) == 0 && io_write_file(notes, "x", 1, 0644, &err) == 0 &&
	     io_mkdirs(scratch, 0700, &err) == 0, "remains: %s", err.message);
	collect(f, &options, 4);
	ok_str(left(f), "", "without a lock nothing stays");
	ok(!io_exists(half) && !io_exists(scratch), "nor what killed processes have left");
	ok(io_exists(notes), "but what is not the store's does");
}

/* Each test with a store of its own. */
static void with_store(void (*test)(const struct store_fixture *f))
{
	CLEANUP_SCRATCH struct scratch cache = SCRATCH_INIT;
	struct error err = ERROR_INIT;
	struct store_fixture f;

	need(io_scratch_new(dir.path, &cache, &err) == 0, "scratch directory");
	fixture_make(&f, cache.path);
	test(&f);
	fixture_free(&f);
}

int main(void)
{
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &dir, &err) == 0, "scratch directory");
	with_store(test_needed);
	with_store(test_age);
	with_store(test_index);
	with_store(test_both);
	with_store(test_remains);
	io_scratch_free(&dir);
	return tap_done();
}
