/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../factory/base/base64.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/clock.h"
#include "../factory/base/digest.h"
#include "../factory/base/error.h"
#include "../factory/base/log.h"
#include "../factory/model/json.h"
#include "disk.h"
#include "ebs.h"
#include "journal.h"
#include "rate.h"
#include "refusal.h"
#include "transfers.h"

#define PATH_SIZE 96
#define CHECKSUM_SIZE 48		/* 44 characters of base64 */
#define STALL_MS 20000

_Static_assert(BLOCK_SIZE == 524288, "the x-amz-Data-Length that is sent");

struct run {
	const struct ebs_put *put;
	struct block_index todo;
	struct rate rate;
	int64_t begun;			/* ms */
};

static void checksum_text(const uint8_t digest[static BLOCK_DIGEST_SIZE], char ret[static CHECKSUM_SIZE])
{
	CLEANUP_BUF struct buf text = BUF_INIT(CHECKSUM_SIZE - 1);

	if (base64_encode(digest, BLOCK_DIGEST_SIZE, &text) < 0)
		error_no_memory();
	memcpy(ret, buf_text(&text), text.len + 1);
}

/* ---------------------------------------------------------------- a block */

static int send_block(const struct run *run, const struct block_entry *e, const uint8_t *block, aws_done *done, void *arg,
		      struct error *err)
{
	char path[PATH_SIZE], checksum[CHECKSUM_SIZE];

	checksum_text(e->digest, checksum);
	(void)snprintf(path, sizeof(path), "/snapshots/%s/blocks/%" PRIu32, run->put->snapshot, e->block);

	/* The checksum is signed and the bytes are what it says, so the bytes need not be signed once more. */
	const struct aws_pair headers[] = {
		{ "content-type", "application/octet-stream" },
		{ "x-amz-data-length", "524288" },
		{ "x-amz-checksum", checksum },
		{ "x-amz-checksum-algorithm", "SHA256" },
	};
	const struct aws_request q = {
		.service = "ebs",
		.method = "PUT",
		.path = path,
		.headers = headers,
		.header_count = ARRAY_SIZE(headers),
		.body = block,
		.body_size = BLOCK_SIZE,
		.unsigned_payload = true,
		.stall_ms = STALL_MS,
		.action = "ebs:PutSnapshotBlock",
	};

	return aws_begin(run->put->aws, &q, done, arg, err);
}

static int begin(void *arg, size_t item, unsigned int attempt, uint8_t *block, aws_done *done, void *done_arg,
		 struct error *err)
{
	struct run *run = arg;
	const struct block_entry *e = &run->todo.entries[item];
	int r = 0;

	if (attempt == 0)
		r = disk_read(run->put->disk, e->block, block, err);
	if (attempt == 0 && r == 0)
		r = disk_check_unchanged(run->put->disk, err);
	return r < 0 ? r : send_block(run, e, block, done, done_arg, err);
}

static int take(void *arg, size_t item, const struct http_answer *answer, struct error *err)
{
	struct run *run = arg;
	const struct block_entry *e = &run->todo.entries[item];
	const char *said = http_answer_header(answer, "x-amz-Checksum");
	char checksum[CHECKSUM_SIZE];

	checksum_text(e->digest, checksum);
	if (!said || strcmp(said, checksum)) {
		(void)error_outside(err, "ebs:PutSnapshotBlock: the answer does not confirm block %" PRIu32 ": its checksum is %s, the block's is %s",
				    e->block, said ? said : "missing", checksum);
		return -EAGAIN;
	}
	return journal_block(run->put->journal, e->block, e->digest, err);
}

/* The digests were made when the disk was opened; the service is the first to see that a block is not what it was. */
static int check_block(const struct run *run, const struct block_entry *e, const uint8_t *block, struct error *err)
{
	struct digest now;

	digest_of(DIGEST_SHA256, block, BLOCK_SIZE, &now);
	if (memcmp(now.bytes, e->digest, BLOCK_DIGEST_SIZE) == 0)
		return 0;
	return error_input(err, "%s is being written while it is uploaded, block %" PRIu32 " is not what it was: nothing has been registered",
			   run->put->disk->path, e->block);
}

static int refused(void *arg, size_t item, const uint8_t *block, const struct aws_result *result, struct error *err)
{
	struct run *run = arg;

	if (refusal_may_pass(result->code, result->reason, clock_ms() - run->begun))
		return 0;
	if (refusal_of_checksum(result->code, result->reason, result->message))
		/* Bytes that are right here and wrong there were damaged on the way. */
		return check_block(run, &run->todo.entries[item], block, err);
	return error_outside(err, "%s", result->message);
}

static void progress(void *arg, size_t done)
{
	struct run *run = arg;

	rate_show(&run->rate, (uint64_t)done * BLOCK_SIZE, clock_ms());
}

/* ---------------------------------------------------------------- all of them */

static void find_missing(const struct block_index *plan, const struct block_index *sent, struct block_index *ret)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct block_entry *e = &plan->entries[i];
		const uint8_t *digest = block_index_find(sent, e->block);

		if (!digest || memcmp(digest, e->digest, BLOCK_DIGEST_SIZE))
			block_index_add(ret, e->block, e->digest);
	}
}

static int send_all(struct run *run, struct error *err)
{
	const struct transfers_job job = {
		.arg = run,
		.items = run->todo.count,
		.stall_s = run->put->stall_s,
		.begin = begin,
		.take = take,
		.refused = refused,
		.progress = progress,
	};
	int r = transfers_run(run->put->transfers, run->put->aws, &job, err);

	return r < 0 ? r : disk_check_unchanged(run->put->disk, err);
}

int ebs_put(const struct ebs_put *put, struct error *err)
{
	struct run run = { .put = put, .begun = clock_ms() };
	int r;

	find_missing(put->plan, &journal_state(put->journal)->sent, &run.todo);
	rate_init(&run.rate, (uint64_t)run.todo.count * BLOCK_SIZE, run.begun);
	r = send_all(&run, err);
	block_index_free(&run.todo);
	return r;
}

/* What is no pending snapshot any more has been completed: by an attempt whose answer was lost. */
static bool was_complete(const struct aws *a)
{
	return aws_last_outcome(a) == AWS_REFUSED && strcmp(aws_last_reason(a), "INVALID_SNAPSHOT_ID") == 0;
}

static bool misses_blocks(const struct aws *a)
{
	return aws_last_outcome(a) == AWS_REFUSED && strcmp(aws_last_code(a), "ValidationException") == 0;
}

static int check_answer(const struct http_answer *answer, struct error *err)
{
	CLEANUP_JSON struct json_node root = { .value = NULL };
	CLEANUP_FREE char *status = NULL;
	int r = json_open(answer->body.data, answer->body.len, "CompleteSnapshot's answer", &root, err);

	if (r == 0)
		r = json_get_string(&root, "Status", &status, err);
	if (r < 0)
		err->kind = ERROR_OUTSIDE;	/* not the user's text */
	return r;
}

int ebs_complete(struct aws *a, const char *snapshot, const struct block_index *written, bool *ret_again,
		 struct error *err)
{
	CLEANUP_HTTP_ANSWER struct http_answer *answer = NULL;
	char path[PATH_SIZE], count[16], checksum[CHECKSUM_SIZE];
	struct error why = ERROR_INIT;
	struct digest linear;
	int r;

	block_index_linear(written, &linear);
	checksum_text(linear.bytes, checksum);
	(void)snprintf(path, sizeof(path), "/snapshots/completion/%s", snapshot);
	(void)snprintf(count, sizeof(count), "%zu", written->count);

	const struct aws_pair headers[] = {
		{ "x-amz-changedblockscount", count },
		{ "x-amz-checksum", checksum },
		{ "x-amz-checksum-algorithm", "SHA256" },
		{ "x-amz-checksum-aggregation-method", "LINEAR" },
	};
	const struct aws_request q = {
		.service = "ebs",
		.method = "POST",
		.path = path,
		.headers = headers,
		.header_count = ARRAY_SIZE(headers),
		.action = "ebs:CompleteSnapshot",
	};

	r = aws_call(a, &q, &answer, &why);
	*ret_again = false;
	if (r == 0)
		return check_answer(answer, err);
	if (was_complete(a))
		return 0;
	*ret_again = misses_blocks(a);
	*err = why;
	return r;
}
