/* SPDX-License-Identifier: Apache-2.0 */
#include "missing.h"

#include <stdlib.h>
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/workers.h"
#include "../../factory/model/lock.h"
#include "../../factory/model/memory.h"
#include "store.h"

struct candidate {
	const struct locked_package *package;
	bool there;
};
struct search {
	const struct store *store;
	struct candidate *items;
	size_t count;
};

static void free_search(struct search *search)
{
	free(search->items);
}

/* The same packages next to each other, the large ones first. */
static int compare(const void *a, const void *b)
{
	const struct locked_package *x = ((const struct candidate *)a)->package;
	const struct locked_package *y = ((const struct candidate *)b)->package;
	int order = (x->size < y->size) - (x->size > y->size);

	return order ? order : strcmp(x->sha256, y->sha256);
}

static void add_all(struct search *search, const struct lock *lock)
{
	size_t room = 0, kept = 0;

	for (size_t set = 0; set < LOCK_SETS; set++)
		room += lock->sets[set].count;
	search->items = memory_new((room + 1) * sizeof(*search->items));
	for (size_t set = 0; set < LOCK_SETS; set++)
		for (size_t i = 0; i < lock->sets[set].count; i++)
			search->items[search->count++].package = &lock->sets[set].packages[i];
	qsort(search->items, search->count, sizeof(*search->items), compare);
	for (size_t i = 0; i < search->count; i++)
		if (kept == 0 || strcmp(search->items[kept - 1].package->sha256,
					search->items[i].package->sha256) != 0)
			search->items[kept++] = search->items[i];
	search->count = kept;
}

static int look(void *arg, size_t piece, struct error *err)
{
	struct candidate *item = &((struct search *)arg)->items[piece];
	const struct store *store = ((struct search *)arg)->store;
	CLEANUP_FREE char *path = NULL;
	struct error why = ERROR_INIT;

	(void)err; /* that it is not there is an answer */
	item->there =
		store_verified(store, item->package->sha256, item->package->name, &path, &why) == 0;
	return 0;
}

/* For messages. */
static int by_name(const void *a, const void *b)
{
	const struct locked_package *x = ((const struct download *)a)->package;
	const struct locked_package *y = ((const struct download *)b)->package;
	int order = strcmp(x->name, y->name);

	return order ? order : strcmp(x->sha256, y->sha256);
}

int missing_find(const struct store *store, const struct lock *lock, struct missing *ret,
		 struct error *err)
{
	__attribute__((cleanup(free_search))) struct search search = {.store = store};
	CLEANUP_MISSING struct missing missing = {.count = 0};
	int r;

	add_all(&search, lock);
	r = workers_try(search.count, look, &search, err);
	if (r < 0)
		return r;
	missing.total = search.count;
	for (size_t i = 0; i < search.count; i++) {
		struct download *item;

		if (search.items[i].there)
			continue;
		item = memory_append(&missing.items, missing.count, sizeof(*item));
		missing.count++;
		item->package = search.items[i].package;
	}
	if (missing.count > 0)
		qsort(missing.items, missing.count, sizeof(*missing.items), by_name);
	*ret = missing;
	missing = (struct missing){.count = 0};
	return 0;
}

void missing_free(struct missing *missing)
{
	free(missing->items);
	*missing = (struct missing){.count = 0};
}
