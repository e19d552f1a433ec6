/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "compare_part.h"
#include "format/fat.h"
#include "format/fat_volume.h"

#define LIST_MAX ((size_t)1 << 20)
#define FILE_MAX ((size_t)1 << 30)

/* ---------------------------------------------------------------- which files there are */

static int add_line(const struct fat_entry *e, void *arg)
{
	return buf_printf(arg, "%s%s\n", e->path, e->directory ? "\\" : "");
}

/* A line each, as they lie in the directories; names hold no control characters. */
static int list(const struct compare_span *esp, struct buf *ret, struct error *err)
{
	return fat_walk(esp->data, esp->size, add_line, ret, err);
}

/* The line of a text that begins at or before `at`, without its end. */
static char *line_at(const struct buf *text, size_t at)
{
	const char *start = buf_text(text);

	for (const char *end; (end = strchr(start, '\n')) && end < buf_text(text) + at;)
		start = end + 1;
	return string_printf("%.*s", (int)strcspn(start, "\n"), start);
}

static bool same_names(const struct buf *a, const struct buf *b, struct comparison *ret)
{
	const struct compare_span bytes_a = { a->data, a->len }, bytes_b = { b->data, b->len };
	uint64_t at = compare_bytes(&bytes_a, &bytes_b);
	CLEANUP_FREE char *in_a = NULL, *in_b = NULL;

	if (at == COMPARE_SAME)
		return true;
	in_a = line_at(a, (size_t)at);
	in_b = line_at(b, (size_t)at);
	comparison_add(ret, COMPARE_ESP, false, "the files are others: \"%s\" and \"%s\"", in_a, in_b);
	return false;
}

/* ---------------------------------------------------------------- what is in them */

static bool is_program(const char *path)
{
	size_t len = strlen(path);

	return len > 4 && strcasecmp(path + len - 4, ".efi") == 0;
}

static int compare_file(const struct compare_span *a, const struct compare_span *b, const char *path,
			struct comparison *ret, struct error *err)
{
	CLEANUP_BUF struct buf in_a = BUF_INIT(FILE_MAX), in_b = BUF_INIT(FILE_MAX);
	int r = fat_read_file(a->data, a->size, path, &in_a, err);

	if (r == 0)
		r = fat_read_file(b->data, b->size, path, &in_b, err);
	if (r < 0)
		return r;

	const struct compare_span bytes_a = { in_a.data, in_a.len }, bytes_b = { in_b.data, in_b.len };
	uint64_t at = compare_bytes(&bytes_a, &bytes_b);

	if (at != COMPARE_SAME && is_program(path))
		compare_boot_files(path, &bytes_a, &bytes_b, ret);
	else if (at != COMPARE_SAME)
		comparison_add(ret, COMPARE_ESP, false, "%s: the contents differ at byte %" PRIu64, path, at);
	return 0;
}

static int compare_files(const struct compare_span *a, const struct compare_span *b,
			 struct comparison *ret, struct error *err)
{
	CLEANUP_BUF struct buf list_a = BUF_INIT(LIST_MAX), list_b = BUF_INIT(LIST_MAX);
	char *rest, *line;
	int r = list(a, &list_a, err);

	if (r == 0)
		r = list(b, &list_b, err);
	if (r < 0 || !same_names(&list_a, &list_b, ret))
		return r;
	rest = (char *)list_a.data;
	while (r == 0 && rest && (line = strsep(&rest, "\n")) && *line)
		if (line[strlen(line) - 1] != '\\')
			r = compare_file(a, b, line, ret, err);
	return r;
}

/* ---------------------------------------------------------------- what is around them */

/* Microsoft FAT specification: BS_VolID, a random number unless it is given. */
static bool is_volume_id(const struct fat_volume *v, uint64_t at)
{
	uint64_t id = v->bits == 32 ? 67 : 39;

	return at >= id && at < id + 4;
}

static const char *region(const struct fat_volume *v, uint64_t at)
{
	if (is_volume_id(v, at))
		return "in its volume id";
	if (at < v->table)
		return "before its allocation table";
	if (at >= v->clusters_offset)
		return "in a directory's entries (names, times) or unused space";
	return v->root_size && at >= v->root ? "in its root directory (names, times)" : "in its allocation table";
}

static void name_place(const struct compare_span *a, uint64_t at, struct comparison *ret)
{
	CLEANUP_FAT_VOLUME struct fat_volume v = { .entered = NULL };
	struct error ignored = ERROR_INIT;

	if (fat_volume_open(a->data, a->size, &v, &ignored) < 0)
		comparison_add(ret, COMPARE_ESP, false, "differs at byte %" PRIu64 " (no FAT file system that can be read)",
			       at);
	else
		comparison_add(ret, COMPARE_ESP, false,
			       "the same files, but the FAT file system differs at byte %" PRIu64 ", %s", at,
			       region(&v, at));
}

void compare_esps(const struct compare_span *a, const struct compare_span *b, struct comparison *ret)
{
	uint64_t at = compare_bytes(a, b);
	struct error why = ERROR_INIT;
	size_t before = ret->count;

	if (at == COMPARE_SAME)
		return;
	if (compare_files(a, b, ret, &why) < 0)
		comparison_add(ret, COMPARE_ESP, false, "differs at byte %" PRIu64 " (%s)", at, why.message);
	else if (ret->count == before)
		name_place(a, at, ret);
}
