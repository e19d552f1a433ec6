/* SPDX-License-Identifier: Apache-2.0 */
#include "filetree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../factory/base/buf.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/model/memory.h"
#include "filetree_reader.h"

#define LINKS_MAX 40		/* as in the kernel, path_resolution(7) */

/* ---------------------------------------------------------------- order */

/* "/" sorts before every other byte, so that a directory's contents follow it at once. */
int filetree_compare_paths(const char *a, const char *b)
{
	size_t i = 0;

	while (a[i] && a[i] == b[i])
		i++;

	const unsigned int x = a[i] == '/' ? 1 : a[i] ? (unsigned char)a[i] + 1U : 0;
	const unsigned int y = b[i] == '/' ? 1 : b[i] ? (unsigned char)b[i] + 1U : 0;

	return x < y ? -1 : x > y;
}

static int by_path(const void *a, const void *b)
{
	return filetree_compare_paths(((const struct filetree_node *)a)->path, ((const struct filetree_node *)b)->path);
}

/* Equal paths: in the order of the archive. */
static int by_path_and_position(const void *a, const void *b)
{
	const struct filetree_node *x = a, *y = b;
	int order = by_path(a, b);

	return order ? order : x->position < y->position ? -1 : x->position > y->position;
}

const struct filetree_node *filetree_find(const struct filetree *t, const char *path)
{
	const struct filetree_node key = { .path = (char *)path };

	return t->count ? bsearch(&key, t->nodes, t->count, sizeof(*t->nodes), by_path) : NULL;
}

/* ---------------------------------------------------------------- reading headers */

static void node_clear(struct filetree_node *n)
{
	free(n->path);
	free(n->target);
}

/* "./a/b/" is "a/b", "." is "". -EINVAL: absolute, climbing, or with empty parts. */
static int clean_path(const char *name, char **ret)
{
	size_t size;

	while (strncmp(name, "./", 2) == 0)
		name += 2;
	if (strcmp(name, ".") == 0)
		name = "";
	size = strlen(name);
	while (size > 0 && name[size - 1] == '/')
		size--;
	for (size_t at = 0; at < size;) {
		size_t part = strcspn(name + at, "/");

		if (part == 0 || (part == 1 && name[at] == '.') || (part == 2 && strncmp(name + at, "..", 2) == 0))
			return -EINVAL;
		at += part + 1;
	}
	*ret = string_printf("%.*s", (int)size, name);
	return 0;
}

static bool is_opaque(struct archive_entry *entry)
{
	const char *name;
	const void *value;
	size_t size;

	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK)
		if (strcmp(name, "trusted.overlay.opaque") == 0 && size == 1 && *(const char *)value == 'y')
			return true;
	return false;
}

static int add_node(struct filetree *t, struct archive *a, struct archive_entry *entry, struct error *err)
{
	const char *name = archive_entry_pathname(entry), *link = archive_entry_hardlink(entry);
	struct filetree_node *n;
	char *path = NULL;

	if (!name || clean_path(name, &path) < 0)
		return error_input(err, "%s: the path \"%s\" leaves the tree", t->archive, name ? name : "");
	n = memory_append(&t->nodes, t->count, sizeof(*n));
	t->count++;
	n->path = path;
	n->position = archive_read_header_position(a);
	n->type = link ? 0 : archive_entry_filetype(entry);
	if (link && clean_path(link, &n->target) < 0)
		return error_input(err, "%s: %s is a second name of \"%s\", outside the tree", t->archive, path, link);
	if (n->type == S_IFLNK)
		n->target = string_copy(archive_entry_symlink(entry) ? archive_entry_symlink(entry) : "");
	n->whiteout = n->type == S_IFCHR && archive_entry_rdev(entry) == makedev(0, 0);
	n->opaque = n->type == S_IFDIR && is_opaque(entry);
	return 0;
}

static int read_nodes(struct filetree *t, struct error *err)
{
	CLEANUP_FILETREE_READER struct archive *a = NULL;
	struct archive_entry *entry;
	int r = filetree_reader_open(t, 0, &a, err);

	if (r < 0)
		return r;
	while ((r = archive_read_next_header(a, &entry)) == ARCHIVE_OK || r == ARCHIVE_WARN) {
		r = add_node(t, a, entry, err);
		if (r < 0)
			return r;
	}
	return r == ARCHIVE_EOF ? 0 : filetree_reader_error(t, a, err);
}

/* ---------------------------------------------------------------- making sense of them */

static void sort_nodes(struct filetree *t)
{
	size_t kept = 0;

	if (t->count > 0)
		qsort(t->nodes, t->count, sizeof(*t->nodes), by_path_and_position);
	for (size_t i = 0; i < t->count; i++) {
		if (i + 1 < t->count && strcmp(t->nodes[i].path, t->nodes[i + 1].path) == 0)
			node_clear(&t->nodes[i]);
		else
			t->nodes[kept++] = t->nodes[i];
	}
	t->count = kept;
}

/* Directories that nobody mentions, the root among them. */
static void add_parents(struct filetree *t)
{
	const size_t known = t->count;
	size_t count = t->count;
	CLEANUP_FREE char *last = string_copy("\n");

	for (size_t i = 0; i < known; i++) {
		CLEANUP_FREE char *path = string_copy(t->nodes[i].path);

		while (path[0]) {
			char *slash = strrchr(path, '/');
			struct filetree_node *n;

			*(slash ? slash : path) = '\0';
			if (filetree_find(t, path) || strcmp(path, last) == 0)
				break;
			n = memory_append(&t->nodes, count++, sizeof(*n));
			n->path = string_copy(path);
			n->type = S_IFDIR;
			n->position = -1;
			free(last);
			last = string_copy(path);
		}
	}
	t->count = count;
	sort_nodes(t);
}

static int check_parent(const struct filetree *t, const struct filetree_node *n, struct error *err)
{
	CLEANUP_FREE char *parent = string_copy(n->path);
	char *slash = strrchr(parent, '/');
	const struct filetree_node *found;

	*(slash ? slash : parent) = '\0';
	found = n->path[0] ? filetree_find(t, parent) : n;
	if (!found || found->type != S_IFDIR)
		return error_input(err, "%s: %s lies below %s, which is no directory", t->archive, n->path, parent);
	return 0;
}

/* Hard links name a node that came before them, which may be a link itself. */
static int resolve_data(struct filetree *t, size_t index, struct error *err)
{
	struct filetree_node *n = &t->nodes[index];
	const struct filetree_node *at = n;

	n->data = index;
	if (n->type != 0)
		return 0;
	for (unsigned int hops = 0; at && at->type == 0 && hops < LINKS_MAX; hops++)
		at = filetree_find(t, at->target);
	if (!at || at->type == 0 || at->type == S_IFDIR)
		return error_input(err, "%s: %s is a second name of %s, which is no file in it", t->archive, n->path,
				   n->target);
	n->data = (size_t)(at - t->nodes);
	return 0;
}

static int settle(struct filetree *t, struct error *err)
{
	int r = 0;

	sort_nodes(t);
	add_parents(t);
	for (size_t i = 0; i < t->count && r == 0; i++) {
		r = check_parent(t, &t->nodes[i], err);
		if (r == 0)
			r = resolve_data(t, i, err);
	}
	/* Only now: resolving looks at the type to know a link. */
	for (size_t i = 0; i < t->count && r == 0; i++)
		if (t->nodes[i].type == 0)
			t->nodes[i].type = t->nodes[t->nodes[i].data].type;
	return r;
}

int filetree_open(const char *archive, struct filetree **ret, struct error *err)
{
	CLEANUP_FILETREE struct filetree *t = memory_new(sizeof(*t));
	int r;

	t->archive = string_copy(archive);
	t->fd = open(archive, O_RDONLY | O_CLOEXEC);
	if (t->fd < 0)
		return error_system(err, errno, "%s", archive);
	r = read_nodes(t, err);
	if (r == 0)
		r = settle(t, err);
	if (r == 0)
		*ret = TAKE_PTR(t);
	return r;
}

void filetree_free(struct filetree *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++)
		node_clear(&t->nodes[i]);
	free(t->nodes);
	free(t->archive);
	if (t->fd >= 0)
		close(t->fd);
	free(t);
}

void filetree_freep(struct filetree **t)
{
	filetree_free(*t);
}

/* ---------------------------------------------------------------- looking up */

/* `rest` behind a link's target, which counts from `directory` unless it is absolute. */
static char *follow(const char *directory, const char *target, const char *rest)
{
	CLEANUP_FREE char *path = target[0] == '/' ? string_printf("%s%s", target, rest) :
						     string_printf("%s/%s%s", directory, target, rest);
	CLEANUP_FREE char *clean = string_copy("");
	char *walk = path, *part;

	while ((part = strsep(&walk, "/"))) {
		char *slash, *longer;

		if (!*part || strcmp(part, ".") == 0)
			continue;
		if (strcmp(part, "..") == 0) {
			slash = strrchr(clean, '/');
			*(slash ? slash : clean) = '\0';
			continue;
		}
		longer = *clean ? path_join(clean, part) : string_copy(part);
		free(clean);
		clean = longer;
	}
	return TAKE_PTR(clean);
}

/* The first part of the path that is a link, replaced; 1 if there was one. */
static int step(const struct filetree *t, char **path)
{
	for (size_t end = strcspn(*path, "/");; end += 1 + strcspn(*path + end + 1, "/")) {
		CLEANUP_FREE char *head = string_printf("%.*s", (int)end, *path), *directory = string_copy(head);
		const struct filetree_node *n = filetree_find(t, head);
		char *slash = strrchr(directory, '/'), *next;

		if (n && n->type == S_IFLNK) {
			*(slash ? slash : directory) = '\0';
			next = follow(directory, n->target, *path + end);
			free(*path);
			*path = next;
			return 1;
		}
		if ((*path)[end] == '\0')
			return 0;
	}
}

int filetree_resolve(const struct filetree *t, const char *path, const struct filetree_node **ret, struct error *err)
{
	CLEANUP_FREE char *at = string_copy(path);
	const struct filetree_node *n;

	for (unsigned int links = 0; step(t, &at); links++)
		if (links == LINKS_MAX)
			return error_input(err, "/%s: too many links", path);
	n = filetree_find(t, at);
	if (!n)
		return error_input(err, "the image has no /%s", path);
	if (n->type != S_IFREG)
		return error_input(err, "/%s is no regular file in the image", path);
	*ret = n;
	return 0;
}

int filetree_read(const struct filetree *t, const struct filetree_node *node, struct buf *ret, struct error *err)
{
	CLEANUP_FILETREE_READER struct archive *a = NULL;
	struct archive_entry *entry;
	uint8_t *room;
	int64_t size;
	int r = filetree_reader_entry(t, &t->nodes[node->data], &a, &entry, err);

	if (r < 0)
		return r;
	size = archive_entry_size(entry);
	if (size < 0 || buf_reserve(ret, (size_t)size, &room) < 0)
		return error_input(err, "/%s: %jd bytes are too many", node->path, (intmax_t)size);
	if (size > 0 && archive_read_data(a, room, (size_t)size) != size)
		return filetree_reader_error(t, a, err);
	ret->len += (size_t)size;
	ret->data[ret->len] = '\0';
	return 0;
}

int filetree_copy_out(const struct filetree *t, const struct filetree_node *node, const char *path, struct error *err)
{
	CLEANUP_FILETREE_READER struct archive *a = NULL;
	CLEANUP_CLOSE int fd = -1;
	struct archive_entry *entry;
	int r = filetree_reader_entry(t, &t->nodes[node->data], &a, &entry, err);

	if (r < 0)
		return r;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return error_system(err, errno, "%s", path);
	return archive_read_data_into_fd(a, fd) == ARCHIVE_OK ? 0 : filetree_reader_error(t, a, err);
}
