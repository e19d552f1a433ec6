/* SPDX-License-Identifier: Apache-2.0 */
#include "archive_difference.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"

#define CHUNK ((size_t)64 << 10)

struct reader {
	const struct archive_source *source;
	struct archive *archive;
	struct archive_entry *entry;	/* NULL: past the last member */
	uint8_t chunk[CHUNK];
};

static void reader_freep(struct reader **r)
{
	if (*r)
		(void)archive_read_free((*r)->archive);
	free(*r);
}
#define CLEANUP_READER __attribute__((cleanup(reader_freep)))

static int read_error(const struct reader *r, struct error *err)
{
	const char *why = archive_error_string(r->archive);

	return error_input(err, "%s: %s", r->source->name, why ? why : "not an archive");
}

static int reader_open(const struct archive_source *source, struct reader **ret, struct error *err)
{
	CLEANUP_READER struct reader *r = calloc(1, sizeof(*r));
	int status;

	if (r)
		r->archive = archive_read_new();
	if (!r || !r->archive)
		error_no_memory();
	r->source = source;
	(void)archive_read_support_filter_all(r->archive);
	(void)archive_read_support_format_tar(r->archive);
	(void)archive_read_support_format_cpio(r->archive);
	if (source->path)
		status = archive_read_open_filename(r->archive, source->path, CHUNK);
	else
		status = archive_read_open_memory(r->archive, source->data, source->size);
	if (status != ARCHIVE_OK)
		return read_error(r, err);
	*ret = TAKE_PTR(r);
	return 0;
}

static int reader_next(struct reader *r, struct error *err)
{
	int status = archive_read_next_header(r->archive, &r->entry);

	if (status == ARCHIVE_EOF)
		r->entry = NULL;
	/* A warning is about a name that this locale cannot show; its bytes are there. */
	else if (status < ARCHIVE_WARN)
		return read_error(r, err);
	return 0;
}

/* "./usr/" and "usr" are one path; the tree's own root is ".". */
static char *member_path(struct archive_entry *entry)
{
	const char *path = archive_entry_pathname(entry);
	size_t len;

	if (!path)
		return string_copy("(a name without bytes)");
	while (strncmp(path, "./", 2) == 0)
		path += 2;
	len = strlen(path);
	while (len > 0 && path[len - 1] == '/')
		len--;
	return len ? string_printf("%.*s", (int)len, path) : string_copy(".");
}

/* ---------------------------------------------------------------- names */

static int holds(const struct archive_source *source, const char *wanted, bool *ret, struct error *err)
{
	CLEANUP_READER struct reader *r = NULL;
	int status = reader_open(source, &r, err);

	*ret = false;
	while (status == 0 && !*ret) {
		CLEANUP_FREE char *path = NULL;

		status = reader_next(r, err);
		if (status < 0 || !r->entry)
			break;
		path = member_path(r->entry);
		*ret = strcmp(path, wanted) == 0;
	}
	return status;
}

static char *only_in(const char *path, const struct reader *r)
{
	return string_printf("%s: only %s has it", path, r->source->name);
}

/* One archive is at another member than the other, or at its end. */
static int compare_names(const struct reader *a, const struct reader *b, char **ret, struct error *err)
{
	CLEANUP_FREE char *in_a = a->entry ? member_path(a->entry) : NULL;
	CLEANUP_FREE char *in_b = b->entry ? member_path(b->entry) : NULL;
	bool found = false;
	int r;

	if (!in_a || !in_b) {
		*ret = in_a ? only_in(in_a, a) : only_in(in_b, b);
		return 0;
	}
	r = holds(b->source, in_a, &found, err);
	if (r < 0)
		return r;
	if (!found) {
		*ret = only_in(in_a, a);
		return 0;
	}
	r = holds(a->source, in_b, &found, err);
	if (r < 0)
		return r;
	*ret = found ? string_printf("%s: the members are in another order", in_a) : only_in(in_b, b);
	return 0;
}

/* ---------------------------------------------------------------- attributes */

static const char *type_name(struct archive_entry *e)
{
	if (archive_entry_hardlink(e))
		return "a hard link";
	switch (archive_entry_filetype(e)) {
	case AE_IFREG:
		return "a file";
	case AE_IFDIR:
		return "a directory";
	case AE_IFLNK:
		return "a symbolic link";
	case AE_IFCHR:
		return "a character device";
	case AE_IFBLK:
		return "a block device";
	case AE_IFIFO:
		return "a pipe";
	default:
		return "of another kind";
	}
}

static char *compare_numbers(struct archive_entry *a, struct archive_entry *b)
{
	const struct {
		const char *what;
		int64_t a, b;
	} rows[] = {
		{ "owner", archive_entry_uid(a), archive_entry_uid(b) },
		{ "group", archive_entry_gid(a), archive_entry_gid(b) },
		{ "time", archive_entry_mtime(a), archive_entry_mtime(b) },
		{ "time's fraction", archive_entry_mtime_nsec(a), archive_entry_mtime_nsec(b) },
		{ "device's major number", archive_entry_rdevmajor(a), archive_entry_rdevmajor(b) },
		{ "device's minor number", archive_entry_rdevminor(a), archive_entry_rdevminor(b) },
	};

	if (archive_entry_perm(a) != archive_entry_perm(b))
		return string_printf("the mode is %04o and %04o", archive_entry_perm(a),
				     archive_entry_perm(b));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].a != rows[i].b)
			return string_printf("the %s is %" PRId64 " and %" PRId64, rows[i].what,
					     rows[i].a, rows[i].b);
	return NULL;
}

static char *compare_targets(struct archive_entry *a, struct archive_entry *b)
{
	const char *to_a = archive_entry_hardlink(a), *to_b = archive_entry_hardlink(b);

	if (!to_a)
		to_a = archive_entry_symlink(a);
	if (!to_b)
		to_b = archive_entry_symlink(b);
	if (!to_a || !to_b || strcmp(to_a, to_b) == 0)
		return NULL;
	return string_printf("the link leads to \"%s\" and to \"%s\"", to_a, to_b);
}

/* In the archive's order, because that order reaches the file system (EROFS keeps it). */
static char *compare_xattrs(struct archive_entry *a, struct archive_entry *b)
{
	int left_a = archive_entry_xattr_reset(a), left_b = archive_entry_xattr_reset(b);

	for (; left_a > 0 && left_b > 0; left_a--, left_b--) {
		const char *name_a = "", *name_b = "";
		const void *value_a = NULL, *value_b = NULL;
		size_t size_a = 0, size_b = 0;

		(void)archive_entry_xattr_next(a, &name_a, &value_a, &size_a);
		(void)archive_entry_xattr_next(b, &name_b, &value_b, &size_b);
		if (strcmp(name_a, name_b))
			return string_printf("the extended attributes are %s and %s at one place", name_a,
					     name_b);
		if (size_a != size_b || memcmp(value_a, value_b, size_a))
			return string_printf("the extended attribute %s has another value", name_a);
	}
	return left_a == left_b ? NULL : string_copy("one has more extended attributes than the other");
}

static char *compare_attributes(struct archive_entry *a, struct archive_entry *b)
{
	char *what = NULL;

	if (strcmp(type_name(a), type_name(b)))
		return string_printf("it is %s and %s", type_name(a), type_name(b));
	what = compare_targets(a, b);
	if (!what)
		what = compare_numbers(a, b);
	return what ? what : compare_xattrs(a, b);
}

/* ---------------------------------------------------------------- contents */

/* As much as the buffer holds, or less at the member's end. */
static int fill(struct reader *r, size_t *ret_size, struct error *err)
{
	size_t size = 0;

	while (size < CHUNK) {
		la_ssize_t n = archive_read_data(r->archive, r->chunk + size, CHUNK - size);

		if (n < 0)
			return read_error(r, err);
		if (n == 0)
			break;
		size += (size_t)n;
	}
	*ret_size = size;
	return 0;
}

static int compare_contents(struct reader *a, struct reader *b, char **ret, struct error *err)
{
	size_t size_a = 0, size_b = 0, i;
	uint64_t offset = 0;
	int r;

	do {
		offset += size_a;
		r = fill(a, &size_a, err);
		if (r == 0)
			r = fill(b, &size_b, err);
		if (r < 0)
			return r;
	} while (size_a == size_b && size_a > 0 && memcmp(a->chunk, b->chunk, size_a) == 0);
	for (i = 0; i < size_a && i < size_b && a->chunk[i] == b->chunk[i];)
		i++;
	if (i < size_a || i < size_b)
		*ret = string_printf("the contents differ at byte %" PRIu64, offset + i);
	return 0;
}

/* What is said of the size says less than where the contents part, so it comes last. */
static int compare_member(struct reader *a, struct reader *b, char **ret, struct error *err)
{
	CLEANUP_FREE char *what = NULL, *path = NULL;
	int r;

	what = compare_attributes(a->entry, b->entry);
	if (!what) {
		r = compare_contents(a, b, &what, err);
		if (r < 0)
			return r;
	}
	if (what) {
		path = member_path(a->entry);
		*ret = string_printf("%s: %s", path, what);
	}
	return 0;
}

static bool same_path(const struct reader *a, const struct reader *b)
{
	CLEANUP_FREE char *in_a = NULL, *in_b = NULL;

	if (!a->entry || !b->entry)
		return false;
	in_a = member_path(a->entry);
	in_b = member_path(b->entry);
	return strcmp(in_a, in_b) == 0;
}

int archive_difference(const struct archive_source *source_a, const struct archive_source *source_b,
		       char **ret, struct error *err)
{
	CLEANUP_READER struct reader *a = NULL, *b = NULL;
	CLEANUP_FREE char *what = NULL;
	int r;

	r = reader_open(source_a, &a, err);
	if (r == 0)
		r = reader_open(source_b, &b, err);
	while (r == 0 && !what) {
		r = reader_next(a, err);
		if (r == 0)
			r = reader_next(b, err);
		if (r < 0 || (!a->entry && !b->entry))
			break;
		r = same_path(a, b) ? compare_member(a, b, &what, err) : compare_names(a, b, &what, err);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(what);
	return 0;
}
