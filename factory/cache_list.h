/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_CACHE_LIST_H
#define KILN_FACTORY_CACHE_LIST_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct error;

/* The entries that lie in the cache, whoever made them and for whatever. Taken without locks. */

struct cache_listed {
	char *stage, *key, *path;
	struct timespec used;	/* last; 0 for what is no whole entry */
	uint64_t size;		/* bytes on the disk */
};

struct cache_list {
	struct cache_listed *items;
	size_t count;
};
#define CACHE_LIST_INIT { .items = NULL }

/* Of one stage, or with NULL of all, the least recently used first. */
int cache_list_read(const char *cache, const char *stage, struct cache_list *ret, struct error *err);
void cache_list_clear(struct cache_list *list);
#define CLEANUP_CACHE_LIST __attribute__((cleanup(cache_list_clear)))

#endif
