/* SPDX-License-Identifier: Apache-2.0 */
#include "cache_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/hex.h"
#include "base/io.h"
#include "base/walk.h"
#include "cache.h"

void cache_list_clear(struct cache_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].stage);
		free(list->items[i].key);
		free(list->items[i].path);
	}
	free(list->items);
	*list = (struct cache_list) CACHE_LIST_INIT;
}

static bool is_key(const char *name)
{
	uint8_t bytes[32];

	return hex_decode(name, bytes, sizeof(bytes)) == 0;
}

/*
 * A use that is yet to come was noted by a clock that went wrong; believed, it would keep the entry for ever while
 * those in use go. So it says as little as if it were long ago; and so does a clock that begins at 0, which stands for
 * no use at all. An hour is for clocks that are set back a little.
 */
static struct timespec past(const struct timespec *used, const struct timespec *now)
{
	static const struct timespec long_ago = { .tv_nsec = 1 };

	return used->tv_sec <= 0 || used->tv_sec > now->tv_sec + 3600 ? long_ago : *used;
}

/* What has no note of its size was left by an older Kiln, or lost the note; it counts all the same. */
static void measure(struct cache_listed *e, const struct timespec *now)
{
	CLEANUP_FREE char *used = path_join(e->path, CACHE_USED);
	CLEANUP_BUF struct buf text = BUF_INIT(64);
	struct error err = ERROR_INIT;
	struct stat st;
	char *end;

	if (stat(used, &st) == 0 && io_read_file(used, text.max, &text, &err) == 0) {
		errno = 0;
		e->size = strtoull(buf_text(&text), &end, 10);
		if (errno == 0 && text.len > 1 && *end == '\n') {
			e->used = past(&st.st_mtim, now);
			return;
		}
	}
	e->size = 0;
	(void)walk_tree(e->path, "", walk_add_usage, &e->size, &err);	/* somebody may be removing it */
}

static void add(struct cache_list *list, const char *stage, const char *directory, const char *key,
		const struct timespec *now)
{
	struct cache_listed *items = reallocarray(list->items, list->count + 1, sizeof(*items));

	if (!items)
		error_no_memory();
	list->items = items;
	items[list->count] = (struct cache_listed) {
		.stage = string_copy(stage), .key = string_copy(key), .path = path_join(directory, key),
	};
	measure(&items[list->count++], now);
}

static int read_stage(const char *stages, const char *stage, struct cache_list *list, struct error *err)
{
	CLEANUP_FREE char *path = path_join(stages, stage);
	CLEANUP_CLOSEDIR DIR *dir = opendir(path);
	struct timespec now = { .tv_sec = 0 };
	struct dirent *entry;

	if (!dir && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (!dir)
		return error_system(err, errno, "cannot list %s", path);
	(void)clock_gettime(CLOCK_REALTIME, &now);	/* cannot fail */
	while ((entry = readdir(dir)))
		if (is_key(entry->d_name))
			add(list, stage, path, entry->d_name, &now);
	return 0;
}

static int read_all(const char *stages, struct cache_list *list, struct error *err)
{
	CLEANUP_CLOSEDIR DIR *dir = opendir(stages);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return errno == ENOENT ? 0 : error_system(err, errno, "cannot list %s", stages);
	while (r == 0 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			r = read_stage(stages, entry->d_name, list, err);
	return r;
}

/* Names in the second place: not the order of the file system. */
static int by_use(const void *a, const void *b)
{
	const struct cache_listed *x = a, *y = b;
	int names = strcmp(x->path, y->path);

	if (x->used.tv_sec != y->used.tv_sec)
		return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
	if (x->used.tv_nsec != y->used.tv_nsec)
		return x->used.tv_nsec < y->used.tv_nsec ? -1 : 1;
	return names;
}

int cache_list_read(const char *cache, const char *stage, struct cache_list *ret, struct error *err)
{
	CLEANUP_CACHE_LIST struct cache_list list = CACHE_LIST_INIT;
	CLEANUP_FREE char *stages = path_join(cache, "stages");
	int r = stage ? read_stage(stages, stage, &list, err) : read_all(stages, &list, err);

	if (r < 0)
		return r;
	if (list.count)
		qsort(list.items, list.count, sizeof(*list.items), by_use);
	*ret = list;
	list = (struct cache_list) CACHE_LIST_INIT;
	return 0;
}
