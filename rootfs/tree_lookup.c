/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../factory/base/buf.h"
#include "../factory/base/bytes.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/format/tar.h"
#include "tree.h"
#include "tree_path.h"
#include "tree_view.h"

/* As Linux, path_resolution(7). */
#define LINKS_MAX 40

static const struct tree_entry *find(const struct tree *t, const char *path)
{
	size_t i = tree_position(t, path);

	return i < t->count && strcmp(t->entries[i]->path, path) == 0 ? t->entries[i] : NULL;
}

/* ---------------------------------------------------------------- path resolution */

struct walk {
	const struct tree *tree;
	char at[PATH_MAX];		/* where we are: a directory, in the end anything */
	char *rest;			/* what is left to go */
	unsigned int links;
};

/* The link's target goes before the rest, and is taken from where the link lies. */
static int follow(struct walk *w, const char *target)
{
	char *rest;

	if (++w->links > LINKS_MAX)
		return -ELOOP;
	if (strlen(target) + strlen(w->rest) + 2 > PATH_MAX)
		return -ENAMETOOLONG;
	rest = string_printf("%s/%s", target, w->rest);
	free(w->rest);
	w->rest = rest;
	if (target[0] == '/')
		w->at[0] = '\0';
	else
		w->at[tree_path_parent(w->at)] = '\0';
	return 0;
}

static int enter(struct walk *w, const char *name, size_t size)
{
	const size_t len = strlen(w->at);
	const struct tree_entry *e;

	if (len + size + 2 > sizeof(w->at))
		return -ENAMETOOLONG;
	(void)snprintf(w->at + len, sizeof(w->at) - len, "%s%.*s", len > 0 ? "/" : "", (int)size, name);
	e = find(w->tree, w->at);
	if (!e)
		return -ENOENT;
	return e->type == TAR_SYMLINK ? follow(w, tree_entry_file(e)->link) : 0;
}

static int step(struct walk *w)
{
	CLEANUP_FREE char *rest = w->rest;
	const char *name = rest + strspn(rest, "/");
	const size_t size = strcspn(name, "/");
	const struct tree_entry *here = find(w->tree, w->at);

	w->rest = string_copy(name + size);
	if (size == 0 || (size == 1 && name[0] == '.'))
		return 0;
	if (here->type != TAR_DIRECTORY)
		return -ENOTDIR;
	if (size == 2 && name[0] == '.' && name[1] == '.') {
		w->at[tree_path_parent(w->at)] = '\0';
		return 0;
	}
	return enter(w, name, size);
}

static int resolve(const struct tree *t, const char *path, const struct tree_entry **ret)
{
	struct walk w = { .tree = t, .at = "", .rest = string_copy(path) };
	int r = 0;

	while (r == 0 && w.rest[0])
		r = step(&w);
	free(w.rest);
	if (r == 0)
		*ret = find(t, w.at);
	return r;
}

bool tree_has(const struct tree *t, const char *path)
{
	const struct tree_entry *e;

	return resolve(t, path, &e) == 0;
}

static void tell(const struct tree_entry *e, struct tree_node *ret)
{
	const struct tree_entry *file = tree_entry_file(e);

	*ret = (struct tree_node) {
		.path = e->path,
		.link = file->type == TAR_SYMLINK ? file->link : NULL,
		.size = file->size,
		.mode = file->mode,
		.uid = file->uid,
		.gid = file->gid,
		.type = file->type,
		.again = e->origin,
		.attributes = file->attributes,
		.attribute_count = file->attribute_count,
	};
}

bool tree_next(const struct tree *t, size_t *position, struct tree_node *ret)
{
	if (*position >= t->count)
		return false;
	tell(t->entries[(*position)++], ret);
	return true;
}

/* The directory's own path, found behind its links, and the last name below that. */
static const struct tree_entry *find_itself(const struct tree *t, const char *path)
{
	const char *name = strrchr(path, '/');
	CLEANUP_FREE char *directory = string_printf("%.*s", name ? (int)(name - path) : 0, path), *joined = NULL;
	const struct tree_entry *e;

	name = name ? name + 1 : path;
	if (resolve(t, directory, &e) < 0)
		return NULL;
	joined = string_printf("%s%s%s", e->path, e->path[0] ? "/" : "", name);
	return find(t, joined);
}

bool tree_stat(const struct tree *t, const char *path, bool itself, struct tree_node *ret)
{
	const struct tree_entry *e = NULL;

	if (itself)
		e = find_itself(t, path);
	else if (resolve(t, path, &e) < 0)
		return false;
	if (!e)
		return false;
	tell(e, ret);
	return true;
}

const char *tree_list(const struct tree *t, const char *directory, size_t *position)
{
	const struct tree_entry *e;
	size_t size;

	if (resolve(t, directory, &e) < 0 || e->type != TAR_DIRECTORY)
		return NULL;
	if (*position == 0)
		*position = tree_position(t, e->path) + 1;
	size = strlen(e->path);
	while (*position < t->count && tree_path_below(t->entries[*position]->path, e->path)) {
		const char *path = t->entries[(*position)++]->path;

		if (tree_path_parent(path) == size)
			return size > 0 ? path + size + 1 : path;
	}
	return NULL;
}

/* ---------------------------------------------------------------- files */

static int find_file(const struct tree *t, const char *path, const struct tree_entry **ret,
		     struct error *err)
{
	const struct tree_entry *e;
	int r = resolve(t, path, &e);

	if (r < 0)
		return error_input(err, "the image has no /%s: %s", path, strerror(-r));
	if (e->type != TAR_FILE)
		return error_input(err, "the image's /%s is no file", path);
	*ret = tree_entry_file(e);
	return 0;
}

int tree_read(const struct tree *t, const char *path, struct buf *ret, struct error *err)
{
	const struct tree_entry *file;
	uint8_t *room;
	int r = find_file(t, path, &file, err);

	if (r < 0)
		return r;
	if (file->size > ret->max - ret->len)
		return error_input(err, "the image's /%s has %" PRIu64 " bytes, more than the %zu it may have",
				   path, file->size, ret->max - ret->len);
	r = buf_reserve(ret, (size_t)file->size, &room);
	if (r < 0)
		return error_system(err, r, "/%s of the image", path);
	r = io_pread_full(file->archive->fd, room, (size_t)file->size, file->offset, file->archive->name, err);
	if (r < 0)
		return r;
	ret->len += (size_t)file->size;
	ret->data[ret->len] = '\0';
	return 0;
}

int tree_read_part(const struct tree *t, const char *path, uint64_t offset, void *ret, size_t size,
		   struct error *err)
{
	const struct tree_entry *file;
	int r = find_file(t, path, &file, err);

	if (r < 0)
		return r;
	if (!range_fits(offset, size, file->size))
		return error_input(err, "the image's /%s has only %" PRIu64 " bytes", path, file->size);
	return io_pread_full(file->archive->fd, ret, size, file->offset + offset, file->archive->name, err);
}

int tree_copy(const struct tree *t, const char *path, const char *to, struct error *err)
{
	CLEANUP_CLOSE int fd = -1;
	const struct tree_entry *file;
	int r = find_file(t, path, &file, err);

	if (r < 0)
		return r;
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return error_system(err, errno, "cannot create %s", to);
	return io_copy_range(file->archive->fd, file->offset, fd, 0, file->size, file->archive->name, err);
}
