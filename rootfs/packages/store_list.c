/* SPDX-License-Identifier: Apache-2.0 */
#include "store_list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/model/memory.h"
#include "stanza.h"
#include "store.h"

/* How io_write_file() and io_scratch_new() call what they have not finished. */
#define TEMPORARY ".kiln-"
#define SCRATCH "kiln-scratch-"
/* Fields of a package, for people; longer ones are not told. */
#define FIELD_MAX 200

static void free_paths(struct store_paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		free(paths->items[i]);
	free(paths->items);
}
#define CLEANUP_STORE_PATHS __attribute__((cleanup(free_paths)))

void store_list_free(struct store_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->objects[i].name);
	free(list->objects);
	free_paths(&list->strays);
	free_paths(&list->remains);
	*list = (struct store_list)STORE_LIST_INIT;
}

/* ---------------------------------------------------------------- what lies there */

static void add_path(struct store_paths *paths, char *path)
{
	*(char **)memory_append(&paths->items, paths->count, sizeof(path)) = path;
	paths->count++;
}

static void add_object(struct store_list *list, const char *sha256, const struct stat *st)
{
	struct store_object *object = memory_append(&list->objects, list->count, sizeof(*object));

	memcpy(object->sha256, sha256, sizeof(object->sha256));
	object->size = (uint64_t)st->st_size;
	object->used = st->st_mtim;
	list->count++;
}

static void add_entry(const struct store *s, const char *below, struct store_list *list)
{
	CLEANUP_FREE char *path = path_join(store_directory(s), below);
	const char *name = strrchr(below, '/') + 1;
	char sha256[65];
	struct stat st;

	if (lstat(path, &st) < 0)
		return; /* gone in the meantime */
	if (S_ISREG(st.st_mode) && store_is_object(below, sha256))
		add_object(list, sha256, &st);
	else if (S_ISREG(st.st_mode) && strncmp(name, TEMPORARY, strlen(TEMPORARY)) == 0)
		add_path(&list->remains, TAKE_PTR(path));
	else
		add_path(&list->strays, TAKE_PTR(path));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a directory, in order, not as the file system gives them. */
static int read_names(const char *path, struct store_paths *names, struct error *err)
{
	CLEANUP_CLOSEDIR DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return error_system(err, errno, "cannot list %s", path);
	for (errno = 0; (entry = readdir(dir)); errno = 0)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			add_path(names, string_copy(entry->d_name));
	if (errno)
		return error_system(err, errno, "cannot list %s", path);
	if (names->count > 0)
		qsort(names->items, names->count, sizeof(*names->items), by_name);
	return 0;
}

static int read_fan_out(const struct store *s, const char *fan_out, const char *path,
			struct store_list *list, struct error *err)
{
	CLEANUP_STORE_PATHS struct store_paths names = {.items = NULL};
	int r = read_names(path, &names, err);

	for (size_t i = 0; i < names.count; i++) {
		CLEANUP_FREE char *below = path_join(fan_out, names.items[i]);

		add_entry(s, below, list);
	}
	return r;
}

static int read_all(const struct store *s, struct store_list *list, struct error *err)
{
	CLEANUP_STORE_PATHS struct store_paths names = {.items = NULL};
	int r = read_names(store_directory(s), &names, err);

	for (size_t i = 0; r == 0 && i < names.count; i++) {
		const char *name = names.items[i];
		CLEANUP_FREE char *path = path_join(store_directory(s), name);
		struct stat st;

		if (strncmp(name, SCRATCH, strlen(SCRATCH)) == 0 || lstat(path, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode) && strlen(name) == 2 &&
		    strspn(name, "0123456789abcdef") == 2)
			r = read_fan_out(s, name, path, list, err);
		else
			add_path(&list->strays, TAKE_PTR(path));
	}
	return r;
}

/* ---------------------------------------------------------------- what it is called */

static int by_digest(const void *a, const void *b)
{
	return strcmp(((const struct store_object *)a)->sha256,
		      ((const struct store_object *)b)->sha256);
}

static struct store_object *find(struct store_list *list, struct text digest)
{
	struct store_object key = {.name = NULL};

	if (digest.size != 64)
		return NULL;
	memcpy(key.sha256, digest.data, 64);
	return bsearch(&key, list->objects, list->count, sizeof(key), by_digest);
}

/* Only what can be shown as it is. */
static bool field(struct text stanza, const char *name, struct text *ret)
{
	if (!stanza_field(stanza, name, ret) || ret->size == 0 || ret->size > FIELD_MAX)
		return false;
	for (size_t i = 0; i < ret->size; i++)
		if (ret->data[i] <= ' ' || ret->data[i] > '~')
			return false;
	return true;
}

static bool is_later(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

/*
 * A build whose stages are all in the cache reads the indexes and no package: what an index names
 * was of use when the index was.
 */
static void take_stanza(struct store_list *list, struct text stanza, struct timespec used)
{
	struct text digest, name, version, architecture;
	struct store_object *object;

	if (!field(stanza, "SHA256", &digest) || !(object = find(list, digest)))
		return;
	if (is_later(used, object->used))
		object->used = used;
	if (object->name || !field(stanza, "Package", &name) ||
	    !field(stanza, "Version", &version) || !field(stanza, "Architecture", &architecture))
		return;
	object->name =
		string_printf("%.*s %.*s (%.*s)", (int)name.size, name.data, (int)version.size,
			      version.data, (int)architecture.size, architecture.data);
}

static bool is_index(const char *path)
{
	static const char beginning[] = "Package:";
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	char found[sizeof(beginning) - 1];

	return fd >= 0 && pread(fd, found, sizeof(found), 0) == (ssize_t)sizeof(found) &&
	       memcmp(found, beginning, sizeof(found)) == 0;
}

static void take_names(const struct store *s, struct store_list *list, struct store_object *index)
{
	CLEANUP_FREE char *path = store_path(s, index->sha256);
	CLEANUP_IO_MAP struct io_map map = {.data = NULL};
	struct error why = ERROR_INIT;
	struct text rest, stanza;

	/* Without it some have no name, and that is all. */
	if (!is_index(path) || io_map_file(path, &map, &why) < 0)
		return;
	rest = (struct text){(const char *)map.data, map.size};
	while (stanza_next(&rest, &stanza))
		take_stanza(list, stanza, index->used);
	if (!index->name)
		index->name = string_copy("an index of packages");
}

int store_list_read(const struct store *s, struct store_list *ret, struct error *err)
{
	CLEANUP_STORE_LIST struct store_list list = STORE_LIST_INIT;
	int r;

	r = read_all(s, &list, err);
	if (r < 0)
		return r;
	if (list.count > 0)
		qsort(list.objects, list.count, sizeof(*list.objects), by_digest);
	for (size_t i = 0; i < list.count; i++)
		take_names(s, &list, &list.objects[i]);
	*ret = list;
	list = (struct store_list)STORE_LIST_INIT;
	return 0;
}
