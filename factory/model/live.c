/* SPDX-License-Identifier: Apache-2.0 */
#include "live.h"

#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/io.h"
#include "memory.h"

const char *const live_scan_names[LIVE_SCANS] = {
	[LIVE_TCP4] = "TCP over IPv4",
	[LIVE_UDP4] = "UDP over IPv4",
	[LIVE_TCP6] = "TCP over IPv6",
	[LIVE_UDP6] = "UDP over IPv6",
};

void live_list_add(struct live_list *list, const char *text)
{
	char **slot;

	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], text) == 0)
			return;
	slot = memory_append(&list->items, list->count++, sizeof(*slot));
	*slot = string_copy(text);
}

static void list_clear(struct live_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
}

void live_clear(struct live *l)
{
	for (int i = 0; i < LIVE_SCANS; i++)
		free(l->scans[i].open);
	for (int i = 0; i < LIVE_TOUCHES; i++)
		free(l->effects[i]);
	list_clear(&l->user_data);
	list_clear(&l->sent);
	*l = (struct live) { .sent = { .count = 0 } };
}
