/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "factory/base/log.h"
#include "rootfs/packages/store_list.h"
#include "rootfs/packages/store_needs.h"
#include "rootfs/packages/store_verify.h"
#include "rootfs/store_archive.h"
#include "rootfs/store_export.h"
#include "rootfs/store_import.h"
#include "tests/unit/store_fixture.h"
#include "tests/unit/tar_archive.h"

#define ARCHIVE_MAX 65536

static struct scratch dir = SCRATCH_INIT;
static char *const no_directories[] = { NULL };

static int import(const struct store *store, const char *path, struct error *err)
{
	CLEANUP_STORE_IMPORT_RESULT struct store_import_result result = { .count = 0 };

	return store_import(store, path, no_directories, &result, err);
}

/* ---------------------------------------------------------------- a good one */

static void test_export(const struct store_fixture *f, const char *path)
{
	CLEANUP_FREE char *again = path_join(dir.path, "again.tar");
	CLEANUP_BUF struct buf a = BUF_INIT(ARCHIVE_MAX), b = BUF_INIT(ARCHIVE_MAX);
	struct store_export_result result = { .count = 0 };
	struct error err = ERROR_INIT;

	ok_int(store_export(f->store, &f->locks, path, &result, &err), 0, "an archive is written");
	ok_int(result.count, 3, "with what the lock needs");
	ok_int(store_export(f->store, &f->locks, again, &result, &err), 0, "and again");
	need(io_read_file(path, ARCHIVE_MAX, &a, &err) == 0 && io_read_file(again, ARCHIVE_MAX, &b, &err) == 0,
	     "read them");
	ok(a.len == b.len && memcmp(a.data, b.data, a.len) == 0, "the same bytes");
	ok_int(result.size, a.len, "as many as told");
	ok_int(store_export(f->store, &f->locks, dir.path, &result, &err), -EINVAL, "a directory is no archive");
}

static void test_incomplete(struct store_fixture *f)
{
	CLEANUP_FREE char *path = path_join(dir.path, "none.tar"), *two = store_path(f->store, f->two);
	struct store_export_result result;
	struct error err = ERROR_INIT;

	fixture_damage(f, f->two, "X");
	ok_int(store_export(f->store, &f->locks, path, &result, &err), -EIO, "a damaged object is not exported");
	ok_error(&err, "two 1.0 (amd64) is damaged", "but named");
	ok(!io_exists(path), "and no archive is there");
	need(unlink(two) == 0, "unlink");
	err = (struct error)ERROR_INIT;
	ok_int(store_export(f->store, &f->locks, path, &result, &err), -EIO, "nor is a missing one");
	ok_error(&err, "two 1.0 (amd64) (SHA-256 ", "it is named");
	ok_error(&err, "run kiln fetch", "with what to do");
	fixture_put(f->store, TWO, f->two);
}

static void test_import(const struct store_fixture *f, const struct store *to, const char *path)
{
	CLEANUP_STORE_IMPORT_RESULT struct store_import_result result = { .count = 0 };
	CLEANUP_STORE_IMPORT_RESULT struct store_import_result again = { .count = 0 };
	CLEANUP_STORE_FINDINGS struct store_findings findings = { .items = NULL };
	CLEANUP_STORE_NEEDS struct store_needs needs = { .items = NULL };
	CLEANUP_FREE char *one = store_path(to, f->one);
	struct error err = ERROR_INIT;

	ok_int(store_import(to, path, no_directories, &result, &err), 0, "it is taken in: %s", err.message);
	ok_int(result.count, 3, "three objects");
	ok_int(result.fresh, 3, "all of them new");
	need(result.locks.count == 1, "one lock");
	ok_str(result.locks.items[0].name, "test", "of its image");
	ok(!result.locks.items[0].path, "that stays in the archive");
	store_needs_make(&f->locks, &needs);
	ok_int(store_verify(to, &needs, &findings, &err), 0, "the store has");
	ok_int(findings.count, 0, "all that the lock needs");
	need(io_write_file(one, "X", 1, 0444, &err) == 0, "damage");
	ok_int(store_import(to, path, no_directories, &again, &err), 0, "once more");
	ok_int(again.fresh, 1, "replaces what is damaged, and nothing else");
}

/* ---------------------------------------------------------------- bad ones */

struct piece {
	const char *name;		/* NULL: by the digest */
	const char *sha256;
	const char *text;
	char type;
};

static void add(struct buf *archive, const struct piece *piece)
{
	CLEANUP_FREE char *name = piece->name ? string_copy(piece->name)
					      : store_archive_object_path(piece->sha256);

	tar_add(archive, name, NULL, piece->type ? piece->type : '0', piece->text, strlen(piece->text));
}

static int by_place(const void *a, const void *b)
{
	return strcmp(((const struct piece *)a)->sha256, ((const struct piece *)b)->sha256);
}

static bool is_empty(const struct store *store)
{
	CLEANUP_STORE_LIST struct store_list list = STORE_LIST_INIT;
	struct error err = ERROR_INIT;
	struct stat st;

	need(store_list_read(store, &list, &err) == 0 && stat(store_directory(store), &st) == 0, "list");
	/* Two links: no directory in it, be it for objects or for scratch. */
	return list.count == 0 && list.strays.count == 0 && list.remains.count == 0 && st.st_nlink == 2;
}

static void refused(const struct store *to, const struct buf *archive, const char *why, const char *about)
{
	CLEANUP_FREE char *path = path_join(dir.path, "bad.tar");
	struct error err = ERROR_INIT;

	need(io_write_file(path, archive->data, archive->len, 0644, &err) == 0, "write");
	ok(import(to, path, &err) < 0 && err.kind == ERROR_INPUT, "%s is refused", about);
	ok_error(&err, why, "which is told: %s", err.message);
	ok(is_empty(to), "and nothing of it is kept");
}

/* The lock, then three pieces in their order, of which a case may change one. */
static void make(const struct store_fixture *f, const struct piece *pieces, size_t count, struct buf *ret)
{
	const struct image_lock *lock = &f->locks.items[0];
	struct piece sorted[8];

	memcpy(sorted, pieces, count * sizeof(*pieces));
	qsort(sorted, count, sizeof(*sorted), by_place);
	tar_add(ret, "images/test/kiln.lock", NULL, '0', lock->text.data, lock->text.len);
	for (size_t i = 0; i < count; i++)
		add(ret, &sorted[i]);
	tar_end(ret);
}

static void test_hostile(const struct store_fixture *f, const struct store *to, const char *index)
{
	const struct piece good[] = {
		{ NULL, f->one, ONE, 0 }, { NULL, f->two, TWO, 0 }, { NULL, f->index, index, 0 },
	};
	const struct {
		struct piece piece;
		size_t place;		/* 3: one more */
		const char *why, *about;
	} cases[] = {
		{ { NULL, f->one, "the package onE", 0 }, 0, "one 1.0 (amd64) in it is", "a wrong object" },
		{ { NULL, f->one, "the package one ", 0 }, 0, "bytes, which it cannot have", "one of another size" },
		{ { NULL, f->index, "Package: three", 0 }, 2, "the index of test's image packages in it is",
		  "a wrong index" },
		{ { NULL, f->other, OTHER, 0 }, 3, "no lock in it names the object", "a foreign object" },
		{ { "../../evil", f->other, "x", 0 }, 3, "neither an image's lock nor", "a path that leads out" },
		{ { "/etc/evil", f->other, "x", 0 }, 3, "neither an image's lock nor", "an absolute path" },
		{ { NULL, f->one, "", '2' }, 0, "is no regular file", "a symbolic link" },
		{ { NULL, f->one, "", '1' }, 0, "is no regular file", "a hard link" },
		{ { "store", f->one, "", '5' }, 0, "neither an image's lock nor", "a directory" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_BUF struct buf archive = BUF_INIT(ARCHIVE_MAX);
		struct piece pieces[4];

		memcpy(pieces, good, sizeof(good));
		pieces[cases[i].place] = cases[i].piece;
		make(f, pieces, cases[i].place == 3 ? 4 : 3, &archive);
		refused(to, &archive, cases[i].why, cases[i].about);
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		CLEANUP_BUF struct buf archive = BUF_INIT(ARCHIVE_MAX);
		struct piece pieces[3];

		memcpy(pieces, good, sizeof(good));
		pieces[i] = pieces[2];
		make(f, pieces, 2, &archive);
		refused(to, &archive, " lacks ", "an archive without one of its objects");
	}
}

static void test_locks(const struct store_fixture *f, const struct store *to)
{
	CLEANUP_BUF struct buf none = BUF_INIT(ARCHIVE_MAX), broken = BUF_INIT(ARCHIVE_MAX);
	CLEANUP_BUF struct buf empty = BUF_INIT(ARCHIVE_MAX), huge = BUF_INIT(ARCHIVE_MAX);
	const struct piece one = { NULL, f->one, ONE, 0 };

	add(&none, &one);
	tar_end(&none);
	refused(to, &none, "begins without a lock", "an archive without a lock");
	tar_end(&empty);
	refused(to, &empty, "begins without a lock", "an empty archive");
	tar_add(&broken, "images/test/kiln.lock", NULL, '0', "{}", 2);
	tar_end(&broken);
	refused(to, &broken, "images/test/kiln.lock", "a lock that is none");
	tar_add(&huge, "images/test/kiln.lock", NULL, '0', "{}", 2);
	memcpy(huge.data + 124, "77777777777", 12);
	memset(huge.data + 148, ' ', 8);
	{
		unsigned int sum = 0;

		for (size_t i = 0; i < 512; i++)
			sum += huge.data[i];
		(void)snprintf((char *)huge.data + 148, 7, "%06o", sum & 0777777);
	}
	refused(to, &huge, "too large for a lock", "a lock of 8 GiB");
}

/* Cut anywhere before its end mark. */
static void test_cut(const struct store *to, const char *good)
{
	CLEANUP_BUF struct buf archive = BUF_INIT(ARCHIVE_MAX);
	CLEANUP_FREE char *path = path_join(dir.path, "cut.tar");
	struct error err = ERROR_INIT;
	size_t whole, taken = 0, left = 0;

	need(io_read_file(good, ARCHIVE_MAX, &archive, &err) == 0, "read");
	whole = archive.len - (size_t)2 * TAR_RECORD;
	for (size_t size = 0; size < whole + TAR_RECORD; size += size % TAR_RECORD ? 511 : 1) {
		struct error why = ERROR_INIT;

		need(io_write_file(path, archive.data, size, 0644, &err) == 0, "write");
		taken += import(to, path, &why) == 0 || why.kind != ERROR_INPUT;
		left += !is_empty(to);
	}
	ok_int(taken, 0, "an archive that is cut is refused, wherever it is");
	ok_int(left, 0, "and nothing of it is kept");
}

static void read_index(const struct store_fixture *f, struct buf *ret)
{
	CLEANUP_FREE char *path = store_path(f->store, f->index);
	struct error err = ERROR_INIT;

	need(io_read_file(path, ARCHIVE_MAX, ret, &err) == 0, "index");
}

int main(void)
{
	CLEANUP_FREE char *from = NULL, *to = NULL, *path = NULL;
	CLEANUP_BUF struct buf index = BUF_INIT(ARCHIVE_MAX);
	struct error err = ERROR_INIT;
	struct store *store = NULL;
	struct store_fixture f;

	log_set_level(LOG_WARNING);
	need(io_scratch_new("/tmp", &dir, &err) == 0, "scratch directory");
	from = path_join(dir.path, "from");
	to = path_join(dir.path, "to");
	path = path_join(dir.path, "good.tar");
	need(io_mkdirs(from, 0755, &err) == 0, "mkdir");
	fixture_make(&f, from);
	need(store_open(to, &store, &err) == 0, "store");
	read_index(&f, &index);
	test_export(&f, path);
	test_incomplete(&f);
	test_hostile(&f, store, buf_text(&index));
	test_locks(&f, store);
	test_cut(store, path);
	test_import(&f, store, path);
	store_free(store);
	fixture_free(&f);
	io_scratch_free(&dir);
	return tap_done();
}
