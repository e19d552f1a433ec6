/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/base64.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/model/json.h"
#include "blocks.h"
#include "clock.h"
#include "ebs_read.h"
#include "operations.h"
#include "snapshots.h"

/* EBS direct APIs, the writing half: EBS API Reference, 2019-11-02. */

#define PENDING_MAX 100
#define TOKEN_MAX 255
#define DESCRIPTION_MAX 255
#define TAGS_MAX 50

/* ---------------------------------------------------------------- StartSnapshot */

struct start {
	uint64_t volume_size, timeout;
	char *parent, *description, *token, *key;
	bool encrypted;
	struct pairs tags;
};

static void free_start(struct start *s)
{
	free(s->parent);
	free(s->description);
	free(s->token);
	free(s->key);
	pairs_free(&s->tags);
}
#define CLEANUP_START __attribute__((cleanup(free_start)))

static int get_text(const struct json_node *node, const char *key, char **ret, struct error *err)
{
	if (json_has(node, key))
		return json_get_string(node, key, ret, err);
	*ret = string_copy("");
	return 0;
}

static int parse_tags(const struct json_node *root, struct pairs *ret, struct error *err)
{
	struct json_node list, item;
	size_t count = 0;
	int r = json_has(root, "Tags") ? json_get_array(root, "Tags", &list, &count, err) : 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		CLEANUP_FREE char *key = NULL, *value = NULL;

		r = json_get_item(&list, i, &item, err);
		if (r == 0)
			r = json_get_string(&item, "Key", &key, err);
		if (r == 0)
			r = get_text(&item, "Value", &value, err);
		if (r == 0)
			pairs_add(ret, key, value);
	}
	return r;
}

static int parse_fields(const struct json_node *root, struct start *s, struct error *err)
{
	static const char *const keys[] = { "VolumeSize", "ParentSnapshotId", "Tags", "Description", "ClientToken",
					    "Encrypted", "KmsKeyArn", "Timeout", NULL };
	int r = json_check_keys(root, keys, err);

	s->timeout = 60;
	if (r == 0)
		r = json_get_number(root, "VolumeSize", 1, 65536, &s->volume_size, err);
	if (r == 0 && json_has(root, "Timeout"))
		r = json_get_number(root, "Timeout", 10, 4320, &s->timeout, err);
	if (r == 0 && json_has(root, "Encrypted"))
		r = json_get_bool(root, "Encrypted", &s->encrypted, err);
	if (r == 0)
		r = get_text(root, "ParentSnapshotId", &s->parent, err);
	if (r == 0)
		r = get_text(root, "Description", &s->description, err);
	if (r == 0)
		r = get_text(root, "ClientToken", &s->token, err);
	if (r == 0)
		r = get_text(root, "KmsKeyArn", &s->key, err);
	if (r == 0)
		r = parse_tags(root, &s->tags, err);
	return r;
}

static bool parse_start(struct call *c, struct start *s)
{
	CLEANUP_JSON struct json_node root = { .value = NULL };
	struct error err = ERROR_INIT;
	int r = json_open(buf_text(&c->q->body), c->q->body.len, "request", &root, &err);

	if (r == 0)
		r = parse_fields(&root, s, &err);
	if (r < 0)
		answer_invalid(c, "INVALID_PARAMETER_VALUE", err.message);
	return r == 0;
}

static bool check_tags(struct call *c, const struct pairs *tags)
{
	for (size_t i = 0; i < tags->count; i++) {
		const struct pair *tag = &tags->items[i];

		if (!*tag->name || strlen(tag->name) > 128 || strlen(tag->value) > 256 ||
		    strncmp(tag->name, "aws:", 4) == 0 || pairs_get(tags, tag->name) != tag->value) {
			answer_invalid(c, "INVALID_TAG", "A tag's key is empty, too long, reserved, or there twice.");
			return false;
		}
	}
	if (tags->count <= TAGS_MAX)
		return true;
	answer_invalid(c, "INVALID_TAG", "A snapshot has at most 50 tags.");
	return false;
}

static bool check_start(struct call *c, const struct start *s)
{
	if (strlen(s->description) > DESCRIPTION_MAX)
		answer_invalid(c, "INVALID_PARAMETER_VALUE", "Description must have at most 255 characters.");
	else if (strlen(s->token) > TOKEN_MAX || strpbrk(s->token, " \t"))
		answer_invalid(c, "INVALID_PARAMETER_VALUE", "ClientToken must have at most 255 characters and no blanks.");
	else if (*s->parent && s->encrypted)
		answer_invalid(c, "INVALID_PARAMETER_VALUE", "Encrypted and ParentSnapshotId exclude each other.");
	else if (*s->key && !s->encrypted && !*s->parent)
		answer_invalid(c, "INVALID_CUSTOMER_KEY", "KmsKeyArn needs Encrypted.");
	else if (*s->key && strncmp(s->key, "arn:aws", 7) != 0)
		answer_invalid(c, "INVALID_CUSTOMER_KEY", "KmsKeyArn is no ARN.");
	else
		return check_tags(c, &s->tags);
	return false;
}

/* NULL with *ret_good: there is none. */
static const struct object *find_parent(struct call *c, const struct start *s, bool *ret_good)
{
	const struct object *parent = NULL;

	*ret_good = false;
	if (!*s->parent)
		*ret_good = true;
	else if (!snapshots_is_id(s->parent))
		answer_invalid(c, "INVALID_SNAPSHOT_ID", "ParentSnapshotId is no snapshot's id.");
	else if (!(parent = snapshots_find(c, s->parent)))
		call_refuse(c, REFUSE_NOT_FOUND, "The snapshot %s does not exist.", s->parent);
	else if (strcmp(object_get(parent, "State"), "completed") != 0)
		answer_invalid(c, "INVALID_SNAPSHOT_ID", "The parent snapshot is not completed.");
	else if (object_number(parent, "VolumeSize") > s->volume_size)
		answer_invalid(c, "INVALID_VOLUME_SIZE", "VolumeSize is smaller than that of the parent snapshot.");
	else
		*ret_good = true;
	return parent;
}

/* What a request with the same token must repeat. */
static char *describe_start(const struct start *s)
{
	struct buf text = BUF_INIT(SIZE_MAX);
	char *ret;

	if (buf_printf(&text, "%" PRIu64 " %s %d %s %" PRIu64 " %s", s->volume_size, s->parent, s->encrypted, s->key,
		       s->timeout, s->description) < 0)
		error_no_memory();
	for (size_t i = 0; i < s->tags.count; i++)
		if (buf_printf(&text, " %s=%s", s->tags.items[i].name, s->tags.items[i].value) < 0)
			error_no_memory();
	ret = string_copy(buf_text(&text));
	buf_free(&text);
	return ret;
}

static struct object *find_token(const struct call *c, const char *token)
{
	const struct objects *all = &c->r->objects;

	for (size_t i = 0; *token && i < all->count; i++)
		if (strcmp(object_get(all->items[i], "ClientToken"), token) == 0 && snapshots_find(c, all->items[i]->id))
			return all->items[i];
	return NULL;
}

static bool too_many_pending(struct call *c)
{
	const struct objects *all = &c->r->objects;
	unsigned int count = 0;

	for (size_t i = 0; i < all->count; i++)
		if (snapshots_find(c, all->items[i]->id) && strcmp(object_get(all->items[i], "State"), "pending") == 0)
			count++;
	if (count < PENDING_MAX)
		return false;
	call_error(c, 400, "ConcurrentLimitExceededException", NULL, "There are %u pending snapshots already.", count);
	return true;
}

static void put_tags(struct json_t *root, const struct object *o)
{
	struct json_t *tags = json_put_array(root, "Tags");

	for (size_t i = 0; i < o->fields.count; i++) {
		const struct pair *field = &o->fields.items[i];
		struct json_t *tag;

		if (strncmp(field->name, "tag:", 4) != 0)
			continue;
		tag = json_put_object(tags, NULL);
		json_put_string(tag, "Key", field->name + 4);
		json_put_string(tag, "Value", field->value);
	}
}

static void answer_start(struct call *c, const struct object *o)
{
	struct json_t *root = json_new();

	json_put_string(root, "SnapshotId", o->id);
	json_put_string(root, "OwnerId", object_get(o, "Owner"));
	json_put_string(root, "Status", object_get(o, "State"));
	json_put_number(root, "StartTime", object_number(o, "Started"));
	json_put_number(root, "VolumeSize", object_number(o, "VolumeSize"));
	json_put_number(root, "BlockSize", DATA_BLOCK);
	json_put_string(root, "Description", object_get(o, "Description"));
	put_tags(root, o);
	if (*object_get(o, "Parent"))
		json_put_string(root, "ParentSnapshotId", object_get(o, "Parent"));
	if (*object_get(o, "KmsKeyArn"))
		json_put_string(root, "KmsKeyArn", object_get(o, "KmsKeyArn"));
	json_put_string(root, "SseType", *object_get(o, "Encrypted") ? "sse-kms" : "none");
	(void)snprintf(c->resource, sizeof(c->resource), "%s", o->id);
	call_json(c, 201, root);
}

static void make_snapshot(struct call *c, const struct start *s, const struct object *parent, const char *described)
{
	bool encrypted = s->encrypted || (parent && *object_get(parent, "Encrypted"));
	struct object *o = snapshots_new(c, s->volume_size, s->description);

	if (!o)
		return;
	object_set(o, "ClientToken", s->token);
	object_set(o, "Asked", described);
	object_set(o, "Parent", s->parent);
	object_set(o, "Base", parent ? parent->id : "");
	object_set(o, "Encrypted", encrypted ? "yes" : "");
	if (encrypted)
		object_set(o, "KmsKeyArn", *s->key ? s->key : parent ? object_get(parent, "KmsKeyArn") : "");
	for (size_t i = 0; i < s->tags.count; i++) {
		CLEANUP_FREE char *key = string_printf("tag:%s", s->tags.items[i].name);

		object_set(o, key, s->tags.items[i].value);
	}
	if (snapshots_save(c, o))
		answer_start(c, o);
}

static void start_snapshot(struct call *c)
{
	CLEANUP_START struct start s = { .volume_size = 0 };
	CLEANUP_FREE char *described = NULL;
	const struct object *parent, *same;
	bool good;

	if (!parse_start(c, &s) || !check_start(c, &s))
		return;
	described = describe_start(&s);
	same = find_token(c, s.token);
	if (same && strcmp(object_get(same, "Asked"), described) != 0) {
		call_error(c, 409, "ConflictException", NULL, "The ClientToken was used with other parameters.");
		return;
	}
	if (same) {
		answer_start(c, same);
		return;
	}
	parent = find_parent(c, &s, &good);
	if (good && !too_many_pending(c))
		make_snapshot(c, &s, parent, described);
}

/* ---------------------------------------------------------------- PutSnapshotBlock */

static struct object *find_snapshot(struct call *c)
{
	struct object *o = NULL;

	if (!snapshots_is_id(c->segments[0]))
		answer_invalid(c, "INVALID_SNAPSHOT_ID", "The snapshot's id is malformed.");
	else if (!(o = snapshots_find(c, c->segments[0])))
		call_refuse(c, REFUSE_NOT_FOUND, "The snapshot %s does not exist.", c->segments[0]);
	return o;
}

static struct object *find_pending(struct call *c)
{
	struct object *o = find_snapshot(c);

	if (!o || strcmp(object_get(o, "State"), "pending") == 0)
		return o;
	answer_invalid(c, "INVALID_SNAPSHOT_ID", "The snapshot is not pending.");
	return NULL;
}

static bool header_is(const struct call *c, const char *name, const char *value)
{
	const char *sent = pairs_get(&c->q->headers, name);

	return sent && strcmp(sent, value) == 0;
}

/* A header with a SHA-256 in base64. */
static bool parse_checksum(const struct call *c, struct digest *ret)
{
	const char *sent = pairs_get(&c->q->headers, "x-amz-checksum");
	CLEANUP_BUF struct buf bytes = BUF_INIT(64);

	if (!sent || base64_decode(sent, strlen(sent), &bytes) < 0 || bytes.len != 32)
		return false;
	*ret = (struct digest){ .alg = DIGEST_SHA256 };
	memcpy(ret->bytes, bytes.data, 32);
	return true;
}

static bool check_block(struct call *c, struct digest *ret)
{
	uint64_t progress;
	const char *said = pairs_get(&c->q->headers, "x-amz-progress");
	struct digest stated;

	if (!header_is(c, "x-amz-data-length", "524288"))
		answer_invalid(c, "INVALID_PARAMETER_VALUE", "x-amz-Data-Length must be 524288.");
	else if (!header_is(c, "x-amz-checksum-algorithm", "SHA256"))
		answer_invalid(c, "INVALID_PARAMETER_VALUE", "x-amz-Checksum-Algorithm must be SHA256.");
	else if (said && !call_number(said, 0, 100, &progress))
		answer_invalid(c, "INVALID_PARAMETER_VALUE", "x-amz-Progress must be from 0 to 100.");
	else if (pairs_get(&c->q->headers, "content-encoding"))
		answer_invalid(c, "INVALID_CONTENT_ENCODING", "A block has no Content-Encoding.");
	else if (c->q->body.len != DATA_BLOCK)
		answer_invalid(c, "INVALID_BLOCK", "The body is not as long as x-amz-Data-Length says.");
	else if (!parse_checksum(c, &stated))
		answer_invalid(c, "INVALID_PARAMETER_VALUE", "x-amz-Checksum must be a SHA-256 in base64.");
	else {
		digest_of(DIGEST_SHA256, c->q->body.data, c->q->body.len, ret);
		if (digest_equal(ret, &stated))
			return true;
		answer_invalid(c, "INVALID_BLOCK", "x-amz-Checksum is not the block's.");
	}
	return false;
}

static bool parse_index(struct call *c, const struct object *o, uint64_t *ret)
{
	if (call_number(c->segments[1], 0, object_number(o, "VolumeSize") * BLOCKS_PER_GIB - 1, ret))
		return true;
	answer_invalid(c, "INVALID_PARAMETER_VALUE", "The block's index is beyond the volume.");
	return false;
}

/* The lock is shared: what is written is a block's own place and nothing of the snapshot's fields. */
static void put_block(struct call *c)
{
	const struct object *o = find_pending(c);
	CLEANUP_FREE char *layer = NULL;
	struct error err = ERROR_INIT;
	struct digest digest;
	uint64_t index;
	int r = 0;

	if (!o || !parse_index(c, o, &index) || !check_block(c, &digest))
		return;
	layer = rehearsal_blocks(c->r, o->id);
	if (c->fault.kind != FAULT_DROP_BLOCK)
		r = blocks_put(layer, index, c->q->body.data, &digest, &err);
	if (r < 0) {
		call_failed(c, &err);
		return;
	}
	answer_checksum(c, &digest);
	call_json(c, 201, json_new());
}

/* ---------------------------------------------------------------- CompleteSnapshot */

/* Whether the client's aggregate, if it gave one, is of what is there. */
static bool check_aggregate(struct call *c, const struct digest *aggregate)
{
	struct digest stated;

	if (!pairs_get(&c->q->headers, "x-amz-checksum"))
		return true;
	if (!header_is(c, "x-amz-checksum-algorithm", "SHA256"))
		answer_invalid(c, "INVALID_PARAMETER_VALUE", "x-amz-Checksum-Algorithm must be SHA256.");
	else if (!header_is(c, "x-amz-checksum-aggregation-method", "LINEAR"))
		answer_invalid(c, "INVALID_PARAMETER_VALUE", "x-amz-Checksum-Aggregation-Method must be LINEAR.");
	else if (!parse_checksum(c, &stated))
		answer_invalid(c, "INVALID_PARAMETER_VALUE", "x-amz-Checksum must be a SHA-256 in base64.");
	else if (!digest_equal(&stated, aggregate))
		answer_invalid(c, "INVALID_PARAMETER_VALUE", "x-amz-Checksum is not that of the blocks that were written.");
	else
		return true;
	return false;
}

static bool check_complete(struct call *c, const struct object *o)
{
	CLEANUP_FREE char *layer = rehearsal_blocks(c->r, o->id);
	const char *said = pairs_get(&c->q->headers, "x-amz-changedblockscount");
	CLEANUP_BLOCKS struct blocks *b = NULL;
	struct error err = ERROR_INIT;
	struct digest aggregate;
	uint64_t count, stated;
	int r = blocks_open((const char *const[]){ layer }, 1, &b, &err);

	if (r == 0)
		r = blocks_aggregate(b, &count, &aggregate, &err);
	if (r < 0) {
		call_failed(c, &err);
		return false;
	}
	if (!call_number(said, 0, UINT32_MAX, &stated)) {
		answer_invalid(c, "INVALID_PARAMETER_VALUE", "x-amz-ChangedBlocksCount is missing, or no number.");
		return false;
	}
	if (stated == count)
		return check_aggregate(c, &aggregate);
	call_error(c, 400, "ValidationException", "INVALID_PARAMETER_VALUE", "x-amz-ChangedBlocksCount is %" PRIu64
		   ", but %" PRIu64 " blocks were written.", stated, count);
	return false;
}

/* A completed one may be completed again: the first answer may have been lost. */
static void complete_snapshot(struct call *c)
{
	struct object *o = find_snapshot(c);
	struct json_t *root;

	if (!o || !check_complete(c, o))
		return;
	if (strcmp(object_get(o, "State"), "pending") == 0) {
		object_set(o, "State", c->fault.kind == FAULT_FAILED ? "error" : "completed");
		if (!snapshots_save(c, o))
			return;
	}
	root = json_new();
	json_put_string(root, "Status", strcmp(object_get(o, "State"), "error") == 0 ? "error" : "pending");
	call_json(c, 202, root);
}

const struct operation ebs_operations[] = {
	{ .name = "StartSnapshot", .service = SERVICE_EBS, .method = "POST", .path = "/snapshots",
	  .run = start_snapshot },
	{ .name = "PutSnapshotBlock", .service = SERVICE_EBS, .method = "PUT", .path = "/snapshots/ID/blocks/INDEX",
	  .run = put_block, .parallel = true },
	{ .name = "CompleteSnapshot", .service = SERVICE_EBS, .method = "POST", .path = "/snapshots/completion/ID",
	  .run = complete_snapshot },
	{ .name = "ListSnapshotBlocks", .service = SERVICE_EBS, .method = "GET", .path = "/snapshots/ID/blocks",
	  .run = answer_list_blocks, .parallel = true },
	{ .name = "ListChangedBlocks", .service = SERVICE_EBS, .method = "GET", .path = "/snapshots/ID/changedblocks",
	  .run = answer_list_changed, .parallel = true },
	{ .name = "GetSnapshotBlock", .service = SERVICE_EBS, .method = "GET", .path = "/snapshots/ID/blocks/INDEX",
	  .run = answer_get_block, .parallel = true },
	{ .name = NULL },
};
