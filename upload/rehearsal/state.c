/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "blocks.h"
#include "clock.h"
#include "rehearsal.h"

/* Of the layers that a snapshot may consist of. */
#define LAYERS_MAX 256

int64_t rehearsal_time(const struct rehearsal *r)
{
	return clock_now_ms() / 1000 + (int64_t)r->settings.clock_ahead - (int64_t)r->settings.clock_behind;
}

char *rehearsal_blocks(const struct rehearsal *r, const char *snapshot)
{
	return string_printf("%s/blocks/%s", r->data, snapshot);
}

int rehearsal_open_blocks(const struct rehearsal *r, const struct object *snapshot, struct blocks **ret,
			  struct error *err)
{
	char *layers[LAYERS_MAX] = { NULL };
	size_t count = 0;
	int result;

	for (; snapshot && count < LAYERS_MAX; snapshot = objects_find(&r->objects, NULL, object_get(snapshot, "Base")))
		layers[count++] = rehearsal_blocks(r, snapshot->id);
	if (snapshot)
		result = error_input(err, "%s: more than %u snapshots lie one over the other", snapshot->id, LAYERS_MAX);
	else
		result = blocks_open((const char *const *)layers, count, ret, err);
	for (size_t i = 0; i < count; i++)
		free(layers[i]);
	return result;
}
