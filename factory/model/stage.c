/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "../base/bytes.h"
#include "../base/cleanup.h"
#include "../base/digest.h"
#include "../base/error.h"
#include "../base/io.h"
#include "memory.h"

/* ---------------------------------------------------------------- artifacts */

struct artifact {
	char *name, *path, *id;
};

struct artifacts {
	struct artifact *items;
	size_t count;
};

struct artifacts *artifacts_new(void)
{
	return memory_new(sizeof(struct artifacts));
}

static void artifact_clear(struct artifact *a)
{
	free(a->name);
	free(a->path);
	free(a->id);
}

void artifacts_free(struct artifacts *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->count; i++)
		artifact_clear(&set->items[i]);
	free(set->items);
	free(set);
}

void artifacts_freep(struct artifacts **set)
{
	artifacts_free(*set);
}

static struct artifact *find(const struct artifacts *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->items[i].name, name) == 0)
			return &set->items[i];
	return NULL;
}

void artifacts_add(struct artifacts *set, const char *name, const char *path, const char *id)
{
	struct artifact new = { string_copy(name), string_copy(path), string_copy(id) };
	struct artifact *a = find(set, name);

	if (a)
		artifact_clear(a);
	else
		a = memory_append(&set->items, set->count++, sizeof(*a));
	*a = new;
}

const char *artifacts_path(const struct artifacts *set, const char *name)
{
	const struct artifact *a = find(set, name);

	return a ? a->path : NULL;
}

const char *artifacts_id(const struct artifacts *set, const char *name)
{
	const struct artifact *a = find(set, name);

	return a ? a->id : NULL;
}

/* ---------------------------------------------------------------- keys */

static void add_number(struct digester *key, uint64_t value)
{
	uint8_t bytes[8];

	write_le64(bytes, value);
	digester_add(key, bytes, sizeof(bytes));
}

static void add_text(struct digester *key, const char *text)
{
	add_number(key, strlen(text));
	digester_add(key, text, strlen(text));
}

/* A letter for the kind keeps a missing string, an empty one and a number apart. */
static void add_field(struct digester *key, char kind, const char *label)
{
	digester_add(key, &kind, 1);
	add_text(key, label);
}

void stage_key_string(struct digester *key, const char *label, const char *text)
{
	add_field(key, text ? 's' : '-', label);
	if (text)
		add_text(key, text);
}

void stage_key_number(struct digester *key, const char *label, uint64_t value)
{
	add_field(key, 'n', label);
	add_number(key, value);
}

static int add_file(struct digester *key, const char *path, struct error *err)
{
	struct digest digest;
	uint64_t size;
	int r = digest_file(DIGEST_SHA256, path, &digest, &size, err);

	if (r < 0)
		return r;
	add_number(key, size);
	digester_add(key, digest.bytes, digest_size(DIGEST_SHA256));
	return 0;
}

static int add_link(struct digester *key, const char *path, struct error *err)
{
	char target[4096];
	ssize_t n = readlink(path, target, sizeof(target));

	if (n < 0)
		return error_system(err, errno, "%s: cannot read the link", path);
	add_number(key, (uint64_t)n);
	digester_add(key, target, (size_t)n);
	return 0;
}

static int not_dots(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

/* alphasort() would sort by the locale. */
static int bytewise(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_entry(struct digester *key, const char *path, const char *name,
		     const struct stat *st, struct error *err);

static int add_children(struct digester *key, const char *path, struct dirent *const *entries,
			size_t count, struct error *err)
{
	int r = 0;

	add_number(key, count);
	for (size_t i = 0; i < count && r == 0; i++) {
		CLEANUP_FREE char *child = path_join(path, entries[i]->d_name);
		struct stat st;

		if (lstat(child, &st) < 0)
			return error_system(err, errno, "%s", child);
		r = add_entry(key, child, entries[i]->d_name, &st, err);
	}
	return r;
}

static int add_directory(struct digester *key, const char *path, struct error *err)
{
	struct dirent **entries;
	int count = scandir(path, &entries, not_dots, bytewise);
	int r;

	if (count < 0)
		return error_system(err, errno, "%s: cannot list the directory", path);
	r = add_children(key, path, entries, (size_t)count, err);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	return r;
}

static int add_entry(struct digester *key, const char *path, const char *name,
		     const struct stat *st, struct error *err)
{
	add_number(key, st->st_mode & (S_IFMT | 07777));
	add_text(key, name);
	if (S_ISREG(st->st_mode))
		return add_file(key, path, err);
	if (S_ISLNK(st->st_mode))
		return add_link(key, path, err);
	if (S_ISDIR(st->st_mode))
		return add_directory(key, path, err);
	return error_input(err, "%s: only files, directories and symbolic links can go into an image",
			   path);
}

int stage_key_tree(struct digester *key, const char *label, const char *path, struct error *err)
{
	struct stat st;

	/* The tree itself may be reached through a link; links inside it count by their target's name. */
	if (stat(path, &st) < 0)
		return error_system(err, errno, "%s", path);
	add_field(key, 't', label);
	return add_entry(key, path, "", &st, err);
}
