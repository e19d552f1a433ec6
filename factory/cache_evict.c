/* SPDX-License-Identifier: Apache-2.0 */
#include "cache_evict.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "cache.h"
#include "cache_list.h"

#define VARIABLE "KILN_CACHE_SIZE"
#define DEFAULT_SIZE "20G"

static bool parse_size(const char *text, uint64_t *ret)
{
	static const char units[] = "KMGT";
	const char *unit;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	if (errno)
		return false;
	if (!*end)
		return true;
	unit = strchr(units, *end);
	return unit && !end[1] && !__builtin_mul_overflow(*ret, 1ull << 10 * (unit - units + 1), ret);
}

int cache_limit(uint64_t *ret, struct error *err)
{
	const char *text = getenv(VARIABLE);

	if (!text || !*text)
		text = DEFAULT_SIZE;
	if (!parse_size(text, ret))
		return error_input(err, VARIABLE "=%s is no size: give bytes, or a number with K, M, G or T "
				   "behind it, or 0 for no limit", text);
	return 0;
}

/* ---------------------------------------------------------------- entries */

/* Moved away first, so that nobody meets half an entry. False: somebody holds it, or it is gone. */
static bool take_away(const struct cache_listed *e, const char *to)
{
	CLEANUP_CLOSE int fd = open(e->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return false;
	/* The lock is on what was opened; another build may have put a new entry there since. */
	return cache_is_at(fd, e->path) && rename(e->path, to) == 0;
}

static bool evict(const struct cache_listed *e, const char *tmp)
{
	CLEANUP_FREE char *away = string_printf("%s/evicted-%s", tmp, e->key);
	struct error err = ERROR_INIT;

	if (!take_away(e, away))
		return false;
	log_debug("cache: removing %s, %ju bytes", e->path, (uintmax_t)e->size);
	if (io_remove_tree(away, &err) < 0)
		log_warning("cache: %s", err.message);
	return true;
}

static void say(unsigned int count, uint64_t size, uint64_t limit)
{
	if (count)
		log_info("cache: removed %u results of stages, %.1f MiB, the least recently used first ("
			 VARIABLE " allows %.1f MiB)", count, (double)size / (1 << 20),
			 (double)limit / (1 << 20));
}

static void evict_entries(const struct cache_list *list, uint64_t limit, const char *tmp)
{
	uint64_t total = 0, removed = 0;
	unsigned int count = 0;

	for (size_t i = 0; i < list->count; i++)
		total += list->items[i].size;
	for (size_t i = 0; i < list->count; i++) {
		const struct cache_listed *e = &list->items[i];
		bool stale = !e->used.tv_sec && !e->used.tv_nsec;

		if (!stale && (!limit || total - removed <= limit))
			continue;
		if (!evict(e, tmp))
			continue;
		removed += e->size;
		count++;
	}
	say(count, removed, limit);
}

/* ---------------------------------------------------------------- claims */

/* A claim whose owner was killed. Nobody waits for it, or the lock could not be had. */
static void sweep_claim(const char *path)
{
	CLEANUP_CLOSE int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && cache_is_at(fd, path))
		(void)unlink(path);
}

static bool is_claim(const char *name)
{
	const char *end = strrchr(name, '.');

	return end && strcmp(end, CACHE_CLAIM) == 0;
}

static void sweep_claims(const char *directory)
{
	CLEANUP_CLOSEDIR DIR *dir = opendir(directory);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		CLEANUP_FREE char *path = path_join(directory, entry->d_name);

		if (is_claim(entry->d_name))
			sweep_claim(path);
	}
}

static void sweep_stages(const char *cache)
{
	CLEANUP_FREE char *stages = path_join(cache, "stages");
	CLEANUP_CLOSEDIR DIR *dir = opendir(stages);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		CLEANUP_FREE char *path = path_join(stages, entry->d_name);

		if (entry->d_name[0] != '.')
			sweep_claims(path);
	}
}

void cache_evict(const char *cache, uint64_t limit, const char *tmp)
{
	CLEANUP_CACHE_LIST struct cache_list list = CACHE_LIST_INIT;
	struct error err = ERROR_INIT;

	sweep_stages(cache);
	if (cache_list_read(cache, NULL, &list, &err) < 0)
		log_warning("cache: %s", err.message);
	evict_entries(&list, limit, tmp);
}
