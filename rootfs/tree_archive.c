/* SPDX-License-Identifier: Apache-2.0 */
#include "tree_archive.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/process.h"
#include "../factory/format/tar.h"
#include "../factory/model/memory.h"
#include "tree_path.h"

/*
 * What the index may take: about 800,000 names. Far more than any image has; a hostile archive must not
 * take all memory there is.
 */
#define INDEX_MAX (200 << 20)
/* malloc's own share of an entry, with its strings. */
#define ALLOCATION 48

void tree_entry_free(struct tree_entry *e)
{
	if (!e)
		return;
	for (uint32_t i = 0; i < e->attribute_count; i++) {
		free(e->attributes[i].name);
		free(e->attributes[i].value);
	}
	free(e->attributes);
	free(e->path);
	free(e->link);
	free(e);
}

void tree_archive_close(struct tree_archive *a)
{
	for (size_t i = 0; i < a->all_count; i++)
		tree_entry_free(a->all[i]);
	free(a->all);
	free(a->entries);
	free(a->name);
	if (a->fd >= 0)
		(void)close(a->fd);
	*a = (struct tree_archive)TREE_ARCHIVE_INIT;
}

/* ---------------------------------------------------------------- the list */

static size_t weigh(const struct tree_entry *e)
{
	size_t size = sizeof(*e) + ALLOCATION + strlen(e->path) + (e->link ? strlen(e->link) : 0);

	for (uint32_t i = 0; i < e->attribute_count; i++)
		size += sizeof(*e->attributes) + ALLOCATION + strlen(e->attributes[i].name) + e->attributes[i].size;
	return size;
}

/* Takes the entry over. */
static int append(struct tree_archive *a, struct tree_entry *e, size_t *weight, struct error *err)
{
	/* Room for twice as many each time it is full. */
	if ((a->all_count & (a->all_count - 1)) == 0) {
		a->all = reallocarray(a->all, a->all_count ? 2 * a->all_count : 1, sizeof(*a->all));
		if (!a->all)
			error_no_memory();
	}
	e->number = (uint32_t)a->all_count;
	a->all[a->all_count++] = e;
	*weight += weigh(e);
	if (*weight > INDEX_MAX)
		return error_input(err, "%s: the names and attributes of its %zu files and more would take above %d MiB of memory",
				   a->name, a->all_count, INDEX_MAX >> 20);
	return 0;
}

static int read_all(struct tree_archive *a, enum tree_kind kind, size_t *weight, struct error *err)
{
	struct tree_entry *e = NULL;
	uint64_t offset = 0;
	int r;

	while ((r = tree_member_read(a, kind, &offset, &e, err)) > 0) {
		r = append(a, TAKE_PTR(e), weight, err);
		if (r == 0)
			r = process_check_interrupt(err);
		if (r < 0)
			return r;
	}
	return r;
}

/* By path; of one path, as they came. */
static int by_path(const void *a, const void *b)
{
	const struct tree_entry *x = *(struct tree_entry *const *)a, *y = *(struct tree_entry *const *)b;
	int order = tree_path_compare(x->path, y->path);

	return order ? order : x->number < y->number ? -1 : x->number > y->number;
}

/* All entries, sorted, names still more than once. */
static void sort(struct tree_archive *a)
{
	a->entries = reallocarray(a->entries, a->all_count + 1, sizeof(*a->entries));
	if (!a->entries)
		error_no_memory();
	if (a->all_count > 0)
		memcpy(a->entries, a->all, a->all_count * sizeof(*a->entries));
	qsort(a->entries, a->all_count, sizeof(*a->entries), by_path);
	a->count = a->all_count;
}

static void drop_replaced(struct tree_archive *a)
{
	size_t kept = 0;

	for (size_t i = 0; i < a->count; i++)
		if (i + 1 == a->count || strcmp(a->entries[i]->path, a->entries[i + 1]->path) != 0)
			a->entries[kept++] = a->entries[i];
	a->count = kept;
}

/* ---------------------------------------------------------------- hard links */

/* The last entry of that path which came before number `before`. */
static struct tree_entry *find_before(const struct tree_archive *a, const char *path, uint32_t before)
{
	size_t low = 0, high = a->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct tree_entry *e = a->entries[middle];
		int order = tree_path_compare(e->path, path);

		if (order < 0 || (order == 0 && e->number < before))
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && strcmp(a->entries[low - 1]->path, path) == 0 ? a->entries[low - 1] : NULL;
}

/* In the order they came, so that a link to a link finds that one resolved: no circle can be. */
static int resolve_links(const struct tree_archive *a, struct error *err)
{
	for (size_t i = 0; i < a->all_count; i++) {
		struct tree_entry *e = a->all[i];
		const struct tree_entry *target;

		if (e->type != TAR_HARD_LINK)
			continue;
		target = find_before(a, e->link, e->number);
		if (!target)
			return error_input(err, "%s: %s is a hard link to %s, which does not come before it",
					   a->name, e->path, e->link);
		target = tree_entry_file(target);
		if (target->type == TAR_DIRECTORY || target->whiteout)
			return error_input(err, "%s: %s is a hard link to %s, which is no file", a->name,
					   e->path, e->link);
		e->origin = target;
		e->type = target->type;
	}
	return 0;
}

/* ---------------------------------------------------------------- directories */

static int add_directory(struct tree_archive *a, const char *path, size_t *weight, struct error *err)
{
	struct tree_entry *e = memory_new(sizeof(*e));

	e->path = string_copy(path);
	e->archive = a;
	e->type = TAR_DIRECTORY;
	e->mode = 0755;
	return append(a, e, weight, err);
}

static int check_directory(const struct tree_archive *a, const struct tree_entry *directory,
			   const char *path, struct error *err)
{
	if (directory->type == TAR_SYMLINK)
		return error_input(err, "%s: %s lies below %s, which is a symbolic link to %s: it must be where the link leads",
				   a->name, path, directory->path, tree_entry_file(directory)->link);
	if (directory->type != TAR_DIRECTORY)
		return error_input(err, "%s: %s lies below %s, which is no directory", a->name, path,
				   directory->path);
	return 0;
}

/* In a whole tree, directories that have no entry get one. */
static int check_parent(struct tree_archive *a, const char *path, enum tree_kind kind, size_t *weight,
			struct error *err)
{
	CLEANUP_FREE char *parent = string_copy(path);
	int r;

	do {
		const struct tree_entry *directory;

		parent[tree_path_parent(parent)] = '\0';
		directory = find_before(a, parent, UINT32_MAX);
		if (directory)
			return check_directory(a, directory, path, err);
		if (kind == TREE_CHANGES)
			return error_input(err, "%s: %s lies in a directory that has no entry", a->name, path);
		r = add_directory(a, parent, weight, err);
	} while (r == 0 && parent[0]);
	return r;
}

/* Siblings come one after another mostly; the check is made once for them. */
static bool same_parent(const char *a, const char *b)
{
	size_t size = tree_path_parent(a);

	return size == tree_path_parent(b) && strncmp(a, b, size) == 0;
}

static int check_parents(struct tree_archive *a, enum tree_kind kind, size_t *weight, struct error *err)
{
	const size_t before = a->all_count;
	const char *last = NULL;
	int r = 0;

	for (size_t i = 0; i < a->count && r == 0; i++) {
		const struct tree_entry *e = a->entries[i];

		if (!e->path[0] || (last && same_parent(last, e->path)))
			continue;
		last = e->path;
		r = check_parent(a, e->path, kind, weight, err);
	}
	if (r == 0 && kind != TREE_CHANGES && !find_before(a, "", UINT32_MAX))
		r = add_directory(a, "", weight, err);
	if (r == 0 && a->all_count > before) {
		sort(a);
		drop_replaced(a);
	}
	return r;
}

/* ---------------------------------------------------------------- opening */

static int open_file(const char *path, struct tree_archive *ret, struct error *err)
{
	struct stat st;

	ret->name = string_copy(path);
	ret->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (ret->fd < 0 || fstat(ret->fd, &st) < 0)
		return error_system(err, errno, "%s", path);
	ret->size = (uint64_t)st.st_size;
	return 0;
}

int tree_archive_open(const char *path, enum tree_kind kind, struct tree_archive *ret, struct error *err)
{
	size_t weight = 0;
	int r = open_file(path, ret, err);

	if (r == 0)
		r = read_all(ret, kind, &weight, err);
	if (r < 0)
		return r;
	sort(ret);
	r = resolve_links(ret, err);
	if (r < 0)
		return r;
	drop_replaced(ret);
	return check_parents(ret, kind, &weight, err);
}
