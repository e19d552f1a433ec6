/* SPDX-License-Identifier: Apache-2.0 */
#include "cache_record.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/data_digest.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/io.h"
#include "base/walk.h"

static int walk_outputs(const char *directory, const char *const *outputs, walk_visit visit, void *arg,
			struct error *err)
{
	int r = 0;

	for (; *outputs && r == 0; outputs++) {
		CLEANUP_FREE char *path = path_join(directory, *outputs);
		struct stat st;

		if (lstat(path, &st) < 0)
			return error_system(err, errno, "%s", *outputs);
		if (S_ISLNK(st.st_mode))
			return error_outside(err, "%s is a link, and no result by itself", *outputs);
		r = walk_tree(path, *outputs, visit, arg, err);
	}
	return r;
}

static const char *kind(const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return "directory";
	if (S_ISLNK(st->st_mode))
		return "link";
	if (S_ISREG(st->st_mode))
		return st->st_mode & S_IXUSR ? "program" : "file";
	return "special file";
}

/* ---------------------------------------------------------------- contents */

static int add_link(struct buf *text, const char *path, const char *name, struct error *err)
{
	char target[PATH_MAX];
	ssize_t size = readlink(path, target, sizeof(target) - 1);

	if (size < 0)
		return error_system(err, errno, "%s", name);
	target[size] = '\0';
	fields_add(text, "link", name, target);
	return 0;
}

static int add_file(struct buf *text, const char *path, const char *name, const struct stat *st,
		    struct error *err)
{
	char hex[2 * DIGEST_MAX + 1], size_text[24];
	struct digest digest;
	uint64_t size;
	int r = data_digest_file(path, &digest, &size, err);

	if (r < 0)
		return r;
	digest_hex(&digest, hex);
	snprintf(size_text, sizeof(size_text), "%" PRIu64, size);
	fields_add(text, kind(st), name, size_text, hex);
	return 0;
}

static int add_contents(void *arg, const char *path, const char *name, const struct stat *st,
			struct error *err)
{
	struct buf *text = arg;

	if (S_ISREG(st->st_mode))
		return add_file(text, path, name, st, err);
	if (S_ISLNK(st->st_mode))
		return add_link(text, path, name, err);
	if (!S_ISDIR(st->st_mode))
		return error_outside(err, "%s is neither file, directory nor link", name);
	fields_add(text, "directory", name);
	return 0;
}

int cache_record_contents(const char *directory, const char *const *outputs, struct buf *ret,
			  struct error *err)
{
	return walk_outputs(directory, outputs, add_contents, ret, err);
}

/* ---------------------------------------------------------------- stamps */

static void time_text(const struct timespec *t, char ret[static 40])
{
	snprintf(ret, 40, "%jd.%09ld", (intmax_t)t->tv_sec, t->tv_nsec);
}

static int add_stamp(void *arg, const char *path, const char *name, const struct stat *st,
		     struct error *err)
{
	char size[24], inode[24], written[40], changed[40];
	struct buf *text = arg;

	(void)path;
	(void)err;
	/* Of a directory it is its entries that count, and each has a line of its own. */
	if (S_ISDIR(st->st_mode)) {
		fields_add(text, "directory", name);
		return 0;
	}
	snprintf(size, sizeof(size), "%jd", (intmax_t)st->st_size);
	snprintf(inode, sizeof(inode), "%ju", (uintmax_t)st->st_ino);
	time_text(&st->st_mtim, written);
	time_text(&st->st_ctim, changed);
	fields_add(text, kind(st), name, size, inode, written, changed);
	return 0;
}

int cache_record_stamps(const char *directory, const char *const *outputs, struct buf *ret,
			struct error *err)
{
	return walk_outputs(directory, outputs, add_stamp, ret, err);
}

int cache_record_usage(const char *directory, const char *const *outputs, uint64_t *ret,
		       struct error *err)
{
	uint64_t total = 0;
	int r = walk_outputs(directory, outputs, walk_add_usage, &total, err);

	if (r == 0)
		*ret = total;
	return r;
}

/* ---------------------------------------------------------------- differences */

#define FIELDS 4	/* kind, path, size or target, digest */

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Is there a line about `path` in the rest of a text? */
static bool speaks_of(char *text, const char *path)
{
	char *fields[FIELDS];

	while (fields_next(&text, fields, FIELDS) > 0)
		if (same(fields[1], path))
			return true;
	return false;
}

static char *tell_file(char *const *then, char *const *now)
{
	const char *name = then[1] ? then[1] : "";

	if (!same(then[0], now[0]))
		return string_printf("%s was a %s and is a %s", name, then[0], now[0]);
	if (strcmp(then[0], "link") == 0)
		return string_printf("%s leads elsewhere", name);
	if (!same(then[2], now[2]))
		return string_printf("%s has %s bytes in place of %s", name, now[2], then[2]);
	return string_printf("%s has other contents", name);
}

char *cache_record_difference(const struct buf *then, const struct buf *now)
{
	CLEANUP_FREE char *then_text = string_copy(buf_text(then)), *now_text = string_copy(buf_text(now));
	char *a[FIELDS], *b[FIELDS], *then_rest = then_text, *now_rest = now_text;
	bool alike = true;

	if (strcmp(then_text, now_text) == 0)
		return NULL;
	while (alike) {
		int then_count = fields_next(&then_rest, a, FIELDS);
		int now_count = fields_next(&now_rest, b, FIELDS);

		if (then_count < 0 || (then_count == 0 && now_count == 0))
			return string_copy("its record is damaged");
		alike = then_count == now_count;
		for (int i = 0; i < then_count && alike; i++)
			alike = same(a[i], b[i]);
	}
	if (same(a[1], b[1]))
		return tell_file(a, b);
	if (b[1] && (!a[1] || speaks_of(now_rest, a[1])))
		return string_printf("%s does not belong there", b[1]);
	return string_printf("%s is missing", a[1]);
}
