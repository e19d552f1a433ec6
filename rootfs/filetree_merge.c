/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/process.h"
#include "../factory/model/memory.h"
#include "filetree_reader.h"

#define BLOCK 65536

/* ---------------------------------------------------------------- reading one entry */

int filetree_reader_error(const struct filetree *t, struct archive *a, struct error *err)
{
	const char *why = archive_error_string(a);

	return error_outside(err, "%s: %s", t->archive, why ? why : "not a tar archive");
}

void filetree_reader_free(struct archive **a)
{
	if (*a)
		(void)archive_read_free(*a);
}

/* The descriptor is shared: one reader at a time. */
int filetree_reader_open(const struct filetree *t, int64_t position, struct archive **ret, struct error *err)
{
	CLEANUP_FILETREE_READER struct archive *a = archive_read_new();

	if (!a)
		error_no_memory();
	if (lseek(t->fd, position, SEEK_SET) < 0)
		return error_system(err, errno, "%s", t->archive);
	if (archive_read_support_format_tar(a) != ARCHIVE_OK ||
	    archive_read_open_fd(a, t->fd, BLOCK) != ARCHIVE_OK)
		return filetree_reader_error(t, a, err);
	*ret = TAKE_PTR(a);
	return 0;
}

int filetree_reader_entry(const struct filetree *t, const struct filetree_node *node, struct archive **ret,
		      struct archive_entry **ret_entry, struct error *err)
{
	CLEANUP_FILETREE_READER struct archive *a = NULL;
	int r = filetree_reader_open(t, node->position, &a, err);

	if (r < 0)
		return r;
	r = archive_read_next_header(a, ret_entry);
	if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
		return filetree_reader_error(t, a, err);
	*ret = TAKE_PTR(a);
	return 0;
}

/* ---------------------------------------------------------------- which entries, in which order */

struct kept {
	const struct filetree *from;
	const struct filetree_node *node;
};

struct merge {
	const struct filetree_merge *options;
	struct filetree *lower, *upper;
	struct kept *items;		/* sorted by path */
	size_t count;
	const char **first[2];		/* for each node of lower and upper: the name its contents went under */
	struct archive *out;
};

static void merge_clear(struct merge *m)
{
	filetree_free(m->lower);
	filetree_free(m->upper);
	free(m->items);
	free(m->first[0]);
	free(m->first[1]);
	if (m->out)
		(void)archive_write_free(m->out);
}
#define CLEANUP_MERGE __attribute__((cleanup(merge_clear)))

static bool is_below(const char *path, const char *directory)
{
	size_t size = strlen(directory);

	return size == 0 ? path[0] : strncmp(path, directory, size) == 0 && path[size] == '/';
}

static bool is_excluded(const struct merge *m, const char *path)
{
	for (const char *const *e = m->options->excluded; e && *e; e++) {
		size_t size = strlen(*e);

		if ((*e)[size - 1] == '/' ? strncmp(path, *e, size) == 0 : strcmp(path, *e) == 0)
			return true;
	}
	return false;
}

static void keep(struct merge *m, const struct filetree *from, const struct filetree_node *node)
{
	if (node->whiteout || is_excluded(m, node->path))
		return;
	m->items[m->count++] = (struct kept){ from, node };
}

/* Does this entry of the upper tree hide what the lower has below it? */
static bool hides(const struct filetree_node *n)
{
	return n->whiteout || n->opaque || n->type != S_IFDIR;
}

static void choose(struct merge *m)
{
	const size_t upper_count = m->upper ? m->upper->count : 0;
	const char *hidden = NULL;
	size_t low = 0, up = 0;

	m->items = memory_new((m->lower->count + upper_count + 1) * sizeof(*m->items));
	while (low < m->lower->count || up < upper_count) {
		const struct filetree_node *l = low < m->lower->count ? &m->lower->nodes[low] : NULL;
		const struct filetree_node *u = up < upper_count ? &m->upper->nodes[up] : NULL;
		int order = !l ? 1 : !u ? -1 : filetree_compare_paths(l->path, u->path);

		if (order < 0) {
			low++;
			if (!hidden || !is_below(l->path, hidden))
				keep(m, m->lower, l);
			continue;
		}
		up++;
		if (hides(u) && !(hidden && is_below(u->path, hidden)))
			hidden = u->path;
		/* A directory that only its contents imply says nothing about its owner and mode. */
		if (order == 0 && u->position < 0 && l->type == S_IFDIR)
			continue;
		low += order == 0;
		keep(m, m->upper, u);
	}
}

/* ---------------------------------------------------------------- writing */

static int write_error(const struct merge *m, struct error *err)
{
	const char *why = archive_error_string(m->out);

	return error_outside(err, "%s: %s", m->options->output, why ? why : "cannot be written");
}

struct xattr {
	char *name;
	void *value;
	size_t size;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct xattr *)a)->name, ((const struct xattr *)b)->name);
}

/* The file system lists them in an order of its own, which must not reach the image. */
static void sort_xattrs(struct archive_entry *entry)
{
	struct xattr *list = memory_new((size_t)(archive_entry_xattr_count(entry) + 1) * sizeof(*list));
	size_t count = 0;
	struct xattr x;

	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, (const char **)&x.name, (const void **)&x.value, &x.size) ==
	       ARCHIVE_OK) {
		if (strcmp(x.name, "security.capability") != 0 && strncmp(x.name, "user.", 5) != 0)
			continue;
		list[count].name = string_copy(x.name);
		list[count].value = memory_new(x.size + 1);
		memcpy(list[count].value, x.value, x.size);
		list[count++].size = x.size;
	}
	if (count > 0)
		qsort(list, count, sizeof(*list), by_name);
	archive_entry_xattr_clear(entry);
	for (size_t i = 0; i < count; i++) {
		archive_entry_xattr_add_entry(entry, list[i].name, list[i].value, list[i].size);
		free(list[i].name);
		free(list[i].value);
	}
	free(list);
}

static void make_plain(const struct merge *m, const char *path, struct archive_entry *entry)
{
	archive_entry_copy_pathname(entry, *path ? path : ".");
	archive_entry_set_mtime(entry, m->options->epoch, 0);
	archive_entry_unset_atime(entry);
	archive_entry_unset_ctime(entry);
	archive_entry_unset_birthtime(entry);
	archive_entry_copy_uname(entry, NULL);
	archive_entry_copy_gname(entry, NULL);
	archive_entry_acl_clear(entry);
	archive_entry_copy_fflags_text(entry, "");
	sort_xattrs(entry);
}

static int copy_data(const struct merge *m, const struct filetree *from, struct archive *a, struct error *err)
{
	const void *block;
	int64_t offset, done = 0;
	size_t size;
	int r;

	while ((r = archive_read_data_block(a, &block, &size, &offset)) == ARCHIVE_OK) {
		static const char zeros[4096];

		/* A sparse file's holes. */
		while (done < offset) {
			size_t n = offset - done < (int64_t)sizeof(zeros) ? (size_t)(offset - done) : sizeof(zeros);

			if (archive_write_data(m->out, zeros, n) != (ssize_t)n)
				return write_error(m, err);
			done += (int64_t)n;
		}
		if (archive_write_data(m->out, block, size) != (ssize_t)size)
			return write_error(m, err);
		done += (int64_t)size;
	}
	return r == ARCHIVE_EOF ? 0 : filetree_reader_error(from, a, err);
}

static int write_implied(const struct merge *m, const struct filetree_node *node, struct error *err)
{
	struct archive_entry *entry = archive_entry_new();
	int r;

	if (!entry)
		error_no_memory();
	archive_entry_set_mode(entry, S_IFDIR | 0755);
	make_plain(m, node->path, entry);
	r = archive_write_header(m->out, entry);
	archive_entry_free(entry);
	return r < ARCHIVE_WARN ? write_error(m, err) : 0;
}

static int write_item(struct merge *m, const struct kept *item, struct error *err)
{
	const struct filetree_node *node = item->node, *data = &item->from->nodes[node->data];
	const char **first = &m->first[item->from == m->upper][node->data];
	CLEANUP_FILETREE_READER struct archive *a = NULL;
	struct archive_entry *entry;
	int r;

	if (node->position < 0)
		return write_implied(m, node, err);
	r = filetree_reader_entry(item->from, data, &a, &entry, err);
	if (r < 0)
		return r;
	make_plain(m, node->path, entry);
	if (*first)
		archive_entry_copy_hardlink(entry, *first);
	if (archive_write_header(m->out, entry) < ARCHIVE_WARN)
		return write_error(m, err);
	if (*first)
		return 0;
	*first = node->path;
	return node->type == S_IFREG ? copy_data(m, item->from, a, err) : 0;
}

static int write_all(struct merge *m, struct error *err)
{
	int r = 0;

	m->out = archive_write_new();
	if (!m->out)
		error_no_memory();
	if (archive_write_set_format_pax_restricted(m->out) != ARCHIVE_OK ||
	    archive_write_add_filter_none(m->out) != ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(m->out, BLOCK) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(m->out, 512) != ARCHIVE_OK ||
	    archive_write_open_filename(m->out, m->options->output) != ARCHIVE_OK)
		return write_error(m, err);
	for (size_t i = 0; i < m->count && r == 0; i++) {
		r = process_check_interrupt(err);
		if (r == 0)
			r = write_item(m, &m->items[i], err);
	}
	if (r < 0)
		return r;
	return archive_write_close(m->out) == ARCHIVE_OK ? 0 : write_error(m, err);
}

int filetree_merge(const struct filetree_merge *options, struct error *err)
{
	CLEANUP_MERGE struct merge m = { .options = options };
	int r = filetree_open(options->lower, &m.lower, err);

	if (r == 0 && options->upper)
		r = filetree_open(options->upper, &m.upper, err);
	if (r < 0)
		return r;
	choose(&m);
	m.first[0] = memory_new((m.lower->count + 1) * sizeof(*m.first[0]));
	m.first[1] = memory_new(((m.upper ? m.upper->count : 0) + 1) * sizeof(*m.first[1]));
	return write_all(&m, err);
}
