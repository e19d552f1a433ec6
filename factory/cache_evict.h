/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_CACHE_EVICT_H
#define KILN_FACTORY_CACHE_EVICT_H

#include <stdint.h>

struct error;

/* ${KILN_CACHE_SIZE:-20G}, in bytes: a number with K, M, G or T (powers of 1024) behind it; 0 is no limit. */
int cache_limit(uint64_t *ret, struct error *err);

/*
 * Removes entries, the least recently used first, until all together take no more than `limit` bytes, and
 * what builds that were killed have left. What anybody holds stays: this process's entries, and those of other
 * builds. Says what it removed. What cannot be removed is a warning: no build fails by it. `tmp` is a scratch
 * directory on the cache's file system.
 */
void cache_evict(const char *cache, uint64_t limit, const char *tmp);

#endif
