/* SPDX-License-Identifier: Apache-2.0 */
#include "image_lock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/model/description.h"
#include "../../factory/model/memory.h"
#include "packages.h"

static void clear(struct image_lock *item)
{
	free(item->name);
	free(item->path);
	buf_free(&item->text);
	lock_free(item->lock);
}

void image_locks_free(struct image_locks *locks)
{
	for (size_t i = 0; i < locks->count; i++)
		clear(&locks->items[i]);
	free(locks->items);
	*locks = (struct image_locks)IMAGE_LOCKS_INIT;
}

struct image_lock *image_locks_find(const struct image_locks *locks, const char *name)
{
	for (size_t i = 0; i < locks->count; i++)
		if (strcmp(locks->items[i].name, name) == 0)
			return &locks->items[i];
	return NULL;
}

static int find_file(const char *place, char **ret, struct error *err)
{
	CLEANUP_FREE char *path = path_join(place, "kiln.lock");
	struct stat st;

	if (stat(place, &st) < 0)
		return error_input(err,
				   "there is no %s: name a description's directory, or a lock file",
				   place);
	if (!S_ISDIR(st.st_mode)) {
		*ret = string_copy(place);
		return 0;
	}
	if (!io_exists(path))
		return error_input(err, "%s is missing: run \"kiln fetch %s\" first", path, place);
	*ret = TAKE_PTR(path);
	return 0;
}

int image_locks_add(struct image_locks *locks, const char *place, struct error *err)
{
	struct image_lock item = {.text = BUF_INIT(LOCK_TEXT_MAX)};
	int r;

	r = find_file(place, &item.path, err);
	if (r == 0)
		r = io_read_file(item.path, LOCK_TEXT_MAX, &item.text, err);
	if (r == 0)
		r = lock_parse(item.text.data, item.text.len, item.path, &item.lock, err);
	if (r < 0) {
		clear(&item);
		return r;
	}
	item.name = string_copy(place);
	*(struct image_lock *)memory_append(&locks->items, locks->count, sizeof(item)) = item;
	locks->count++;
	return 0;
}

int image_locks_add_described(struct image_locks *locks, const char *directory, struct error *err)
{
	CLEANUP_DESCRIPTION struct description *description = NULL;
	struct image_lock *item;
	int r;

	r = description_read(directory, &description, err);
	if (r < 0)
		return r;
	if (image_locks_find(locks, description->name))
		return error_input(err, "%s: an image called \"%s\" has been named already",
				   directory, description->name);
	r = image_locks_add(locks, directory, err);
	if (r < 0)
		return r;
	item = &locks->items[locks->count - 1];
	free(item->name);
	item->name = string_copy(description->name);
	return packages_check_lock(description, item->lock, err);
}
