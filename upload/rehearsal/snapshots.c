/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshots.h"

#include <stdlib.h>
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "blocks.h"
#include "clock.h"

bool snapshots_is_id(const char *text)
{
	return strncmp(text, "snap-", 5) == 0 && text[5] && text[5 + strspn(text + 5, "0123456789abcdef")] == '\0';
}

bool snapshots_save(struct call *c, struct object *snapshot)
{
	struct error err = ERROR_INIT;

	if (object_save(snapshot, &err) == 0)
		return true;
	call_failed(c, &err);
	return false;
}

struct object *snapshots_new(struct call *c, uint64_t volume_size, const char *description)
{
	struct object *o = objects_add(&c->r->objects, "snap", c->region, clock_now_ms());
	CLEANUP_FREE char *layer = rehearsal_blocks(c->r, o->id);
	struct error err = ERROR_INIT;

	object_set(o, "State", "pending");
	object_set(o, "Owner", c->r->account);
	object_set(o, "Description", description);
	object_set_number(o, "VolumeSize", volume_size);
	object_set_number(o, "Started", (uint64_t)rehearsal_time(c->r));
	if (blocks_create(layer, &err) == 0)
		return o;
	object_set(o, "Gone", "yes");
	call_failed(c, &err);
	return NULL;
}

struct object *snapshots_find(const struct call *c, const char *id)
{
	struct object *o = objects_find(&c->r->objects, c->region, id);

	return o && object_is(o, "snap") && !object_gone(o) ? o : NULL;
}

/* Those that were deleted themselves count as long as they hold blocks for others. */
static bool has_layers_above(const struct call *c, const struct object *snapshot)
{
	const struct objects *all = &c->r->objects;

	for (size_t i = 0; i < all->count; i++)
		if (strcmp(object_get(all->items[i], "Base"), snapshot->id) == 0 && !*object_get(all->items[i], "Removed"))
			return true;
	return false;
}

/* From the deleted one downwards, as long as nobody needs what comes next. */
static bool remove_layers(struct call *c, struct object *o)
{
	struct error err = ERROR_INIT;

	while (o && object_gone(o) && !has_layers_above(c, o)) {
		CLEANUP_FREE char *layer = rehearsal_blocks(c->r, o->id);

		if (io_remove_tree(layer, &err) < 0) {
			call_failed(c, &err);
			return false;
		}
		object_set(o, "Removed", "yes");
		if (!snapshots_save(c, o))
			return false;
		o = objects_find(&c->r->objects, NULL, object_get(o, "Base"));
	}
	return true;
}

bool snapshots_delete(struct call *c, struct object *snapshot)
{
	object_set(snapshot, "Gone", "yes");
	return snapshots_save(c, snapshot) && remove_layers(c, snapshot);
}
