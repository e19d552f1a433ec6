/* SPDX-License-Identifier: Apache-2.0 */
#include "ebs_read.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/base64.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/model/json.h"
#include "blocks.h"
#include "snapshots.h"

#define PAGE_LEAST 100
#define PAGE_MOST 10000
#define TOKEN_DAYS 7

void answer_invalid(struct call *c, const char *reason, const char *sentence)
{
	call_error(c, 400, "ValidationException", reason, "%s", sentence);
}

void answer_checksum(struct call *c, const struct digest *digest)
{
	CLEANUP_BUF struct buf text = BUF_INIT(64);
	struct digest said = *digest;

	if (c->fault.kind == FAULT_WRONG_CHECKSUM)
		said.bytes[0] ^= 1;
	if (base64_encode(said.bytes, 32, &text) < 0)
		error_no_memory();
	call_header(c, "x-amz-Checksum", buf_text(&text));
	call_header(c, "x-amz-Checksum-Algorithm", "SHA256");
}

/* ---------------------------------------------------------------- tokens */

/* A block's token is good for its snapshot and index alone. It has characters that a query must encode. */
static void block_token(const char *snapshot, uint64_t index, struct buf *ret)
{
	CLEANUP_FREE char *text = string_printf("block %s %" PRIu64, snapshot, index);
	struct digest d;

	digest_of(DIGEST_SHA256, text, strlen(text), &d);
	if (buf_add_string(ret, "AAIA") < 0 || base64_encode(d.bytes, 32, ret) < 0)
		error_no_memory();
}

static void put_token(struct json_t *item, const char *key, const char *snapshot, uint64_t index)
{
	CLEANUP_BUF struct buf token = BUF_INIT(128);

	block_token(snapshot, index, &token);
	json_put_string(item, key, buf_text(&token));
}

/* "P" and the index at which the page begins. */
static bool parse_page_token(struct call *c, uint64_t *ret)
{
	const char *token = call_parameter(c, "pageToken");

	if (token && *token == 'P' && call_number(token + 1, 0, UINT32_MAX, ret))
		return true;
	answer_invalid(c, "INVALID_PAGE_TOKEN", "The page token is not one that was given out.");
	return false;
}

/* ---------------------------------------------------------------- lists */

struct page {
	uint64_t from, most;
	bool empty;			/* no items, only the way to the first */
};

static bool parse_page(struct call *c, struct page *ret)
{
	const char *most = call_parameter(c, "maxResults"), *from = call_parameter(c, "startingBlockIndex");

	*ret = (struct page){ .most = PAGE_MOST };
	if (most && !call_number(most, 0, PAGE_MOST, &ret->most)) {
		answer_invalid(c, "INVALID_PARAMETER_VALUE", "maxResults must be from 100 to 10000.");
		return false;
	}
	if (ret->most < PAGE_LEAST)
		ret->most = PAGE_LEAST;
	if (c->r->settings.page_size && ret->most > c->r->settings.page_size)
		ret->most = c->r->settings.page_size;
	if (call_parameter(c, "pageToken"))
		return parse_page_token(c, &ret->from);
	ret->empty = c->r->settings.page_size > 0;
	if (!from || call_number(from, 0, UINT32_MAX, &ret->from))
		return true;
	answer_invalid(c, "INVALID_PARAMETER_VALUE", "startingBlockIndex must be a number.");
	return false;
}

static const struct object *find_readable(struct call *c, const char *id)
{
	const struct object *o = NULL;

	if (!id || !snapshots_is_id(id))
		answer_invalid(c, "INVALID_SNAPSHOT_ID", "The snapshot's id is malformed.");
	else if (!(o = snapshots_find(c, id)))
		call_refuse(c, REFUSE_NOT_FOUND, "The snapshot %s does not exist.", id);
	else if (strcmp(object_get(o, "State"), "completed") == 0)
		return o;
	else
		answer_invalid(c, "INVALID_SNAPSHOT_ID", "The snapshot is not completed.");
	return NULL;
}

static void put_volume(struct call *c, struct json_t *root, const struct object *o)
{
	json_put_number(root, "ExpiryTime", (uint64_t)rehearsal_time(c->r) + TOKEN_DAYS * 24 * 3600);
	json_put_number(root, "VolumeSize", object_number(o, "VolumeSize"));
	json_put_number(root, "BlockSize", DATA_BLOCK);
}

static void put_next(struct json_t *root, uint64_t index)
{
	char token[24];

	if (index == BLOCK_NONE)
		return;
	(void)snprintf(token, sizeof(token), "P%" PRIu64, index);
	json_put_string(root, "NextToken", token);
}

/* The two sides of a comparison; `first` is NULL when everything counts as changed. */
struct sides {
	const struct object *first_object, *second_object;
	const struct blocks *first, *second;
};

static int is_listed(const struct sides *s, uint64_t index, bool *ret, bool *ret_in_first, struct error *err)
{
	struct digest a, b;
	bool in_second;
	int r = 0;

	*ret = true;
	*ret_in_first = false;
	if (!s->first)
		return 0;
	r = blocks_digest(s->first, index, &a, ret_in_first, err);
	if (r == 0)
		r = blocks_digest(s->second, index, &b, &in_second, err);
	*ret = r == 0 && !(*ret_in_first && digest_equal(&a, &b));
	return r;
}

static void put_block(struct json_t *list, const struct sides *s, uint64_t index, bool changed, bool in_first)
{
	struct json_t *item = json_put_object(list, NULL);

	json_put_number(item, "BlockIndex", index);
	if (in_first)
		put_token(item, "FirstBlockToken", s->first_object->id, index);
	put_token(item, changed ? "SecondBlockToken" : "BlockToken", s->second_object->id, index);
}

/* Fills the list; *ret_next is where the following page begins, or BLOCK_NONE. */
static int put_blocks(struct json_t *list, const struct sides *s, const struct page *page, bool changed,
		      uint64_t *ret_next, struct error *err)
{
	uint64_t index, count = 0;
	int r = blocks_next(s->second, page->from, &index, err);

	while (r == 0 && index != BLOCK_NONE && count < page->most && !page->empty) {
		bool listed, in_first;

		r = is_listed(s, index, &listed, &in_first, err);
		if (r == 0 && listed) {
			put_block(list, s, index, changed, in_first);
			count++;
		}
		if (r == 0)
			r = blocks_next(s->second, index + 1, &index, err);
	}
	*ret_next = page->empty ? page->from : index;
	return r;
}

static void answer_list(struct call *c, const struct sides *s, const struct page *page, bool changed)
{
	struct json_t *root = json_new();
	struct json_t *list = json_put_array(root, changed ? "ChangedBlocks" : "Blocks");
	struct error err = ERROR_INIT;
	uint64_t next;
	int r = put_blocks(list, s, page, changed, &next, &err);

	put_next(root, r == 0 ? next : BLOCK_NONE);
	put_volume(c, root, s->second_object);
	call_json(c, 200, root);
	if (r < 0)
		call_failed(c, &err);
}

static void list(struct call *c, const struct object *first, const struct object *second, bool changed)
{
	CLEANUP_BLOCKS struct blocks *a = NULL, *b = NULL;
	struct error err = ERROR_INIT;
	struct page page;
	int r = 0;

	if (!parse_page(c, &page))
		return;
	if (first)
		r = rehearsal_open_blocks(c->r, first, &a, &err);
	if (r == 0)
		r = rehearsal_open_blocks(c->r, second, &b, &err);
	if (r < 0) {
		call_failed(c, &err);
		return;
	}
	answer_list(c, &(struct sides){ first, second, a, b }, &page, changed);
}

void answer_list_blocks(struct call *c)
{
	const struct object *o = find_readable(c, c->segments[0]);

	if (o)
		list(c, NULL, o, false);
}

static const struct object *lowest(const struct rehearsal *r, const struct object *o)
{
	const struct object *below;

	while ((below = objects_find(&r->objects, NULL, object_get(o, "Base"))))
		o = below;
	return o;
}

void answer_list_changed(struct call *c)
{
	const struct object *second = find_readable(c, c->segments[0]), *first = NULL;
	const char *first_id = call_parameter(c, "firstSnapshotId");

	if (!second)
		return;
	if (first_id) {
		first = find_readable(c, first_id);
		if (!first)
			return;
	}
	if (first && lowest(c->r, first) != lowest(c->r, second)) {
		answer_invalid(c, "UNRELATED_SNAPSHOTS", "The snapshots are not of one lineage.");
		return;
	}
	list(c, first, second, true);
}

/* ---------------------------------------------------------------- a block */

static bool check_token(struct call *c, const struct object *o, uint64_t index)
{
	const char *sent = call_parameter(c, "blockToken");
	CLEANUP_BUF struct buf token = BUF_INIT(128);

	block_token(o->id, index, &token);
	if (sent && strcmp(sent, buf_text(&token)) == 0)
		return true;
	answer_invalid(c, "INVALID_BLOCK_TOKEN", "The block token is not that of this block.");
	return false;
}

static int read_block(struct call *c, const struct object *o, uint64_t index, struct digest *ret, struct error *err)
{
	CLEANUP_BLOCKS struct blocks *b = NULL;
	uint8_t *data = NULL;
	bool there;
	int r = rehearsal_open_blocks(c->r, o, &b, err);

	if (r == 0)
		r = blocks_digest(b, index, ret, &there, err);
	if (r == 0 && buf_reserve(&c->a->body, DATA_BLOCK, &data) < 0)
		error_no_memory();
	if (r == 0)
		r = blocks_read(b, index, data, err);
	if (r == 0)
		c->a->body.len = DATA_BLOCK;
	return r;
}

void answer_get_block(struct call *c)
{
	const struct object *o = find_readable(c, c->segments[0]);
	struct error err = ERROR_INIT;
	struct digest digest;
	uint64_t index;

	if (!o)
		return;
	if (!call_number(c->segments[1], 0, object_number(o, "VolumeSize") * BLOCKS_PER_GIB - 1, &index)) {
		answer_invalid(c, "INVALID_PARAMETER_VALUE", "The block's index is beyond the volume.");
		return;
	}
	if (!check_token(c, o, index))
		return;
	if (read_block(c, o, index, &digest, &err) < 0) {
		call_failed(c, &err);
		return;
	}
	if (c->fault.kind == FAULT_CORRUPT)
		c->a->body.data[DATA_BLOCK / 2] ^= 0x10;
	c->a->status = 200;
	call_header(c, "Content-Type", "application/octet-stream");
	call_header(c, "x-amz-Data-Length", "524288");
	answer_checksum(c, &digest);
}
