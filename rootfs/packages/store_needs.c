/* SPDX-License-Identifier: Apache-2.0 */
#include "store_needs.h"

#include <stdlib.h>
#include <string.h>

#include "../../factory/base/io.h"
#include "../../factory/model/memory.h"
#include "image_lock.h"

static int by_digest(const void *a, const void *b)
{
	return strcmp(((const struct store_need *)a)->sha256,
		      ((const struct store_need *)b)->sha256);
}

static void add_set(struct store_needs *needs, const struct image_lock *image, unsigned int id)
{
	const struct lock_set *set = &image->lock->sets[id];
	struct store_need *need;

	for (size_t i = 0; i < set->count; i++) {
		const struct locked_package *package = &set->packages[i];

		need = &needs->items[needs->count++];
		need->name = string_printf("%s %s (%s)", package->name, package->version,
					   package->architecture);
		need->size = package->size;
		memcpy(need->sha256, package->sha256, sizeof(need->sha256));
	}
	if (set->count == 0)
		return;
	need = &needs->items[needs->count++];
	need->name =
		string_printf("the index of %s's %s packages", image->name, lock_set_names[id]);
	need->size = UINT64_MAX;
	memcpy(need->sha256, set->index_sha256, sizeof(need->sha256));
}

static size_t room_for(const struct image_locks *locks)
{
	size_t room = 1;

	for (size_t i = 0; i < locks->count; i++)
		for (unsigned int set = 0; set < LOCK_SETS; set++)
			room += locks->items[i].lock->sets[set].count + 1;
	return room;
}

void store_needs_make(const struct image_locks *locks, struct store_needs *ret)
{
	struct store_needs needs = {.items = memory_new(room_for(locks) * sizeof(*needs.items))};
	size_t kept = 0;

	for (size_t i = 0; i < locks->count; i++)
		for (unsigned int set = 0; set < LOCK_SETS; set++)
			add_set(&needs, &locks->items[i], set);
	qsort(needs.items, needs.count, sizeof(*needs.items), by_digest);
	for (size_t i = 0; i < needs.count; i++)
		if (kept > 0 && by_digest(&needs.items[kept - 1], &needs.items[i]) == 0)
			free(needs.items[i].name);
		else
			needs.items[kept++] = needs.items[i];
	needs.count = kept;
	*ret = needs;
}

const struct store_need *store_needs_find(const struct store_needs *needs, const char *sha256)
{
	struct store_need key = {.name = NULL};

	memcpy(key.sha256, sha256, sizeof(key.sha256));
	return needs->count ? bsearch(&key, needs->items, needs->count, sizeof(key), by_digest)
			    : NULL;
}

void store_needs_free(struct store_needs *needs)
{
	for (size_t i = 0; i < needs->count; i++)
		free(needs->items[i].name);
	free(needs->items);
	*needs = (struct store_needs){.items = NULL};
}
