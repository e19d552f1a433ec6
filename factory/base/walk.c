/* SPDX-License-Identifier: Apache-2.0 */
#include "walk.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "error.h"
#include "io.h"

struct walk {
	walk_visit visit;
	void *arg;
};

static int not_dots(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

/* alphasort() would sort by the locale. */
static int bytewise(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int walk_entry(const struct walk *w, const char *path, const char *name, const struct stat *st,
		      struct error *err);

static int walk_child(const struct walk *w, const char *parent, const char *parent_name,
		      const char *child, struct error *err)
{
	CLEANUP_FREE char *path = path_join(parent, child);
	CLEANUP_FREE char *name = path_join(parent_name, child);
	struct stat st;

	if (lstat(path, &st) < 0)
		return error_system(err, errno, "%s", path);
	return walk_entry(w, path, name, &st, err);
}

static int walk_children(const struct walk *w, const char *path, const char *name, struct error *err)
{
	struct dirent **entries;
	int count = scandir(path, &entries, not_dots, bytewise);
	int r = 0;

	if (count < 0)
		return error_system(err, errno, "%s: cannot list the directory", path);
	for (int i = 0; i < count && r == 0; i++)
		r = walk_child(w, path, name, entries[i]->d_name, err);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	return r;
}

static int walk_entry(const struct walk *w, const char *path, const char *name, const struct stat *st,
		      struct error *err)
{
	int r = w->visit(w->arg, path, name, st, err);

	return r == 0 && S_ISDIR(st->st_mode) ? walk_children(w, path, name, err) : r;
}

int walk_tree(const char *path, const char *name, walk_visit visit, void *arg, struct error *err)
{
	const struct walk w = { .visit = visit, .arg = arg };
	struct stat st;

	if (stat(path, &st) < 0)
		return error_system(err, errno, "%s", path);
	return walk_entry(&w, path, name, &st, err);
}

int walk_add_usage(void *arg, const char *path, const char *name, const struct stat *st, struct error *err)
{
	uint64_t *total = arg;

	(void)path;
	(void)name;
	(void)err;
	*total += (uint64_t)st->st_blocks * 512;	/* whatever the file system's own blocks are */
	return 0;
}
