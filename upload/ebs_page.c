/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs_page.h"

#include <stdlib.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/model/json.h"
#include "../factory/model/memory.h"
#include "block_index.h"

void ebs_page_free(struct ebs_page *page)
{
	for (size_t i = 0; i < page->count; i++)
		free(page->items[i].token);
	free(page->items);
	free(page->next);
	*page = (struct ebs_page) EBS_PAGE_INIT;
}

static int parse_item(const struct json_node *item, bool changed, uint32_t from, struct ebs_listed *ret,
		      struct error *err)
{
	const char *key = changed ? "SecondBlockToken" : "BlockToken";
	uint64_t block = 0;
	int r = json_get_number(item, "BlockIndex", from, BLOCK_COUNT_MAX - 1, &block, err);

	ret->block = (uint32_t)block;
	if (r < 0 || (changed && !json_is_set(item, key)))
		return r;
	return json_get_string(item, key, &ret->token, err);
}

static int parse_items(const struct json_node *root, bool changed, uint32_t from, struct ebs_page *ret,
		       struct error *err)
{
	const char *key = changed ? "ChangedBlocks" : "Blocks";
	struct json_node array, item;
	size_t count = 0;
	int r = 0;

	/* A page may be empty, and yet another follow. */
	if (!json_is_set(root, key))
		return 0;
	r = json_get_array(root, key, &array, &count, err);
	if (r == 0 && count)
		ret->items = memory_new(count * sizeof(*ret->items));
	for (size_t i = 0; r == 0 && i < count; i++) {
		r = json_get_item(&array, i, &item, err);
		if (r < 0)
			break;
		ret->count++;
		r = parse_item(&item, changed, from, &ret->items[i], err);
		from = ret->items[i].block + 1;
	}
	return r;
}

int ebs_page_parse(const void *json, size_t size, bool changed, uint32_t from, struct ebs_page *ret, struct error *err)
{
	CLEANUP_EBS_PAGE struct ebs_page page = EBS_PAGE_INIT;
	CLEANUP_JSON struct json_node root = { .value = NULL };
	int r = json_open(json, size, changed ? "ListChangedBlocks' answer" : "ListSnapshotBlocks' answer", &root, err);

	if (r == 0)
		r = parse_items(&root, changed, from, &page, err);
	if (r == 0 && json_is_set(&root, "NextToken"))
		r = json_get_string(&root, "NextToken", &page.next, err);
	if (r < 0)
		return r;
	*ret = page;
	page = (struct ebs_page) EBS_PAGE_INIT;
	return 0;
}
