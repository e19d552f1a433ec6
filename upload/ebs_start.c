/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/log.h"
#include "../factory/model/json.h"
#include "aws.h"
#include "ebs.h"
#include "ec2.h"

/* EBS gives up a snapshot that gets no block for so long: an upload may be taken up again the day after. */
#define TIMEOUT_MINUTES 1440
#define ANSWER "StartSnapshot's answer"

static void put_tags(struct json_t *root, const struct tags *tags)
{
	struct json_t *array = json_put_array(root, "Tags");

	for (size_t i = 0; i < tags->count; i++) {
		struct json_t *o = json_put_object(array, NULL);

		json_put_string(o, "Key", tags->items[i].key);
		json_put_string(o, "Value", tags->items[i].value);
	}
}

int ebs_start_body(const struct ebs_start *start, struct buf *ret, struct error *err)
{
	struct json_t *root = json_new();
	int r;

	json_put_number(root, "VolumeSize", start->gib);
	if (start->parent)
		json_put_string(root, "ParentSnapshotId", start->parent);
	json_put_string(root, "Description", start->description);
	json_put_string(root, "ClientToken", start->token);
	json_put_number(root, "Timeout", TIMEOUT_MINUTES);
	if (start->key && !start->parent) {
		json_put_bool(root, "Encrypted", true);
		json_put_string(root, "KmsKeyArn", start->key);
	}
	put_tags(root, start->tags);
	r = json_finish(root, false, ret);
	return r < 0 ? error_system(err, r, "StartSnapshot: cannot make its text") : 0;
}

int ebs_start_read(const char *body, char **ret_token, char **ret_parent, struct error *err)
{
	CLEANUP_JSON struct json_node root = { .value = NULL };
	CLEANUP_FREE char *token = NULL;
	char *parent = NULL;
	int r = json_open(body, strlen(body), "StartSnapshot's request", &root, err);

	if (r == 0)
		r = json_get_string(&root, "ClientToken", &token, err);
	if (r == 0 && json_has(&root, "ParentSnapshotId"))
		r = json_get_string(&root, "ParentSnapshotId", &parent, err);
	if (r < 0)
		return r;
	*ret_token = TAKE_PTR(token);
	*ret_parent = parent ? parent : string_copy("");
	return 0;
}

/* Nothing else is of use, and nothing is believed: what has the wrong size is refused by the service. */
static void check_block_size(const struct json_node *root)
{
	struct error err = ERROR_INIT;
	uint64_t size = 0;

	if (json_has(root, "BlockSize") && json_get_number(root, "BlockSize", 0, INT64_MAX, &size, &err) == 0 &&
	    size != BLOCK_SIZE)
		log_warning("EBS says that its blocks have %ju bytes; they are sent with %zu", (uintmax_t)size, BLOCK_SIZE);
}

int ebs_start_answer(const void *json, size_t size, char **ret, struct error *err)
{
	CLEANUP_JSON struct json_node root = { .value = NULL };
	CLEANUP_FREE char *id = NULL;
	int r = json_open(json, size, ANSWER, &root, err);

	if (r == 0)
		r = json_get_string(&root, "SnapshotId", &id, err);
	if (r < 0)
		return r;
	if (!snapshot_id_ok(id))
		return error_input(err, ANSWER ": \"%s\" is no id of a snapshot", id);
	check_block_size(&root);
	*ret = TAKE_PTR(id);
	return 0;
}

/* A key that is none, a parent that is gone; not a permission that is missing, with which it would go on. */
static bool is_refused(const struct aws *a)
{
	const char *code = aws_last_code(a);

	return aws_last_outcome(a) == AWS_REFUSED &&
	       (strcmp(code, "ValidationException") == 0 || strcmp(code, "ResourceNotFoundException") == 0);
}

int ebs_start(struct aws *a, const char *body, char **ret_id, bool *ret_nothing, struct error *err)
{
	CLEANUP_HTTP_ANSWER struct http_answer *answer = NULL;
	static const struct aws_pair headers[] = { { "content-type", "application/json" } };
	const struct aws_request q = {
		.service = "ebs",
		.method = "POST",
		.path = "/snapshots",
		.headers = headers,
		.header_count = ARRAY_SIZE(headers),
		.body = body,
		.body_size = strlen(body),
		.action = "ebs:StartSnapshot",
	};
	int r = aws_call(a, &q, &answer, err);

	*ret_nothing = r < 0 && is_refused(a);
	if (r < 0)
		return r;
	r = ebs_start_answer(answer->body.data, answer->body.len, ret_id, err);
	if (r < 0)
		err->kind = ERROR_OUTSIDE;	/* not the user's text */
	return r;
}
