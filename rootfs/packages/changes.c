/* SPDX-License-Identifier: Apache-2.0 */
#include "changes.h"

#include <stdlib.h>
#include <string.h>

#include "../../factory/model/memory.h"

static void add(struct lock_changes *changes, enum lock_set_id set,
		const struct locked_package *before, const struct locked_package *after)
{
	struct lock_change *change =
		memory_append(&changes->items, changes->count, sizeof(*change));

	changes->count++;
	*change = (struct lock_change){.set = set, .before = before, .after = after};
}

static int compare(const struct locked_package *a, const struct locked_package *b)
{
	int order = strcmp(a->name, b->name);

	return order ? order : strcmp(a->architecture, b->architecture);
}

/* Both are sorted: a merge. */
static void compare_sets(const struct lock_set *before, const struct lock_set *after,
			 enum lock_set_id set, struct lock_changes *ret)
{
	size_t i = 0, k = 0;

	while (i < before->count || k < after->count) {
		const struct locked_package *old = i < before->count ? &before->packages[i] : NULL;
		const struct locked_package *new = k < after->count ? &after->packages[k] : NULL;
		int order = !old ? 1 : !new ? -1 : compare(old, new);

		if (order != 0)
			add(ret, set, order < 0 ? old : NULL, order > 0 ? new : NULL);
		else if (strcmp(old->sha256, new->sha256) != 0)
			add(ret, set, old, new);
		i += order <= 0;
		k += order >= 0;
	}
}

void lock_changes_find(const struct lock *before, const struct lock *after,
		       struct lock_changes *ret)
{
	*ret = (struct lock_changes){NULL, 0};
	for (unsigned int set = 0; set < LOCK_SETS; set++)
		compare_sets(&before->sets[set], &after->sets[set], set, ret);
}

void lock_changes_free(struct lock_changes *changes)
{
	free(changes->items);
	*changes = (struct lock_changes){NULL, 0};
}
