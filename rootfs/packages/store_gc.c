/* SPDX-License-Identifier: Apache-2.0 */
#include "store_gc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "store.h"
#include "store_needs.h"

void store_garbage_free(struct store_garbage *garbage)
{
	store_list_free(&garbage->list);
}

static bool is_before(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

static bool is_garbage(const struct store_gc_options *options, const struct store_object *object)
{
	return !store_needs_find(options->keep, object->sha256) &&
	       (!options->has_before || is_before(object->used, options->before));
}

static void sort_out(const struct store_gc_options *options, struct store_garbage *garbage)
{
	struct store_object *objects = garbage->list.objects;

	for (size_t i = 0; i < garbage->list.count; i++) {
		const struct store_object object = objects[i];

		if (!is_garbage(options, &object)) {
			garbage->kept_size += object.size;
			continue;
		}
		garbage->size += object.size;
		objects[i] = objects[garbage->count];
		objects[garbage->count++] = object;
	}
}

/* For people: by name, what has none at the end. */
static int by_name(const void *a, const void *b)
{
	const struct store_object *x = a, *y = b;
	int order = !x->name - !y->name;

	if (order == 0 && x->name)
		order = strcmp(x->name, y->name);
	return order ? order : strcmp(x->sha256, y->sha256);
}

static int remove_file(const char *path, struct error *err)
{
	return unlink(path) < 0 && errno != ENOENT
		       ? error_system(err, errno, "cannot remove %s", path)
		       : 0;
}

/* What killed processes have left: nobody else has the store open. */
static int remove_remains(const struct store *s, const struct store_list *list, struct error *err)
{
	CLEANUP_SCRATCH struct scratch sweeper = SCRATCH_INIT;
	int r = io_scratch_new(store_directory(s), &sweeper, err);

	for (size_t i = 0; r == 0 && i < list->remains.count; i++)
		r = remove_file(list->remains.items[i], err);
	return r;
}

static int remove_garbage(const struct store *s, const struct store_garbage *garbage,
			  struct error *err)
{
	int r = remove_remains(s, &garbage->list, err);

	for (size_t i = 0; r == 0 && i < garbage->count; i++) {
		CLEANUP_FREE char *path = store_path(s, garbage->list.objects[i].sha256);

		r = remove_file(path, err);
	}
	return r;
}

int store_gc(const struct store *s, const struct store_gc_options *options,
	     struct store_garbage *ret, struct error *err)
{
	CLEANUP_STORE_GARBAGE struct store_garbage garbage = {.list = STORE_LIST_INIT};
	int r;

	r = store_list_read(s, &garbage.list, err);
	if (r < 0)
		return r;
	sort_out(options, &garbage);
	if (garbage.count > 0)
		qsort(garbage.list.objects, garbage.count, sizeof(*garbage.list.objects), by_name);
	r = options->dry_run ? 0 : remove_garbage(s, &garbage, err);
	if (r < 0)
		return r;
	*ret = garbage;
	garbage = (struct store_garbage){.list = STORE_LIST_INIT};
	return 0;
}
