/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../factory/base/base64.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/digest.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/log.h"
#include "../factory/model/memory.h"
#include "ebs.h"
#include "ebs_page.h"
#include "transfers.h"

#define PATH_SIZE 96
#define PAGE_MAX ((size_t)16 << 20)
#define STALL_MS 20000

/* One page at a time is listed and its blocks fetched, so memory does not grow with the snapshot but for the index. */
struct run {
	const struct ebs_read *read;
	bool changed;
	uint8_t zeros[BLOCK_DIGEST_SIZE];
	struct ebs_page page;
	uint8_t (*digests)[BLOCK_DIGEST_SIZE];	/* of the page's blocks */
	struct block_index found;	/* zeros among them */
	size_t fetched;			/* blocks of earlier pages */
};

/* ---------------------------------------------------------------- a block */

static int begin(void *arg, size_t item, unsigned int attempt, uint8_t *block, aws_done *done, void *done_arg,
		 struct error *err)
{
	const struct run *run = arg;
	const struct ebs_listed *listed = &run->page.items[item];
	const struct aws_pair query[] = { { "blockToken", listed->token } };
	char path[PATH_SIZE];

	const struct aws_request q = {
		.service = "ebs",
		.method = "GET",
		.path = path,
		.query = query,
		.query_count = ARRAY_SIZE(query),
		.answer_max = BLOCK_SIZE,
		.stall_ms = STALL_MS,
		.action = "ebs:GetSnapshotBlock",
	};

	(void)attempt;
	(void)block;	/* the answer has its own memory */
	(void)snprintf(path, sizeof(path), "/snapshots/%s/blocks/%" PRIu32, run->read->snapshot, listed->block);
	return aws_begin(run->read->aws, &q, done, done_arg, err);
}

static int take(void *arg, size_t item, const struct http_answer *answer, struct error *err)
{
	CLEANUP_BUF struct buf checksum = BUF_INIT(BLOCK_DIGEST_SIZE);
	struct run *run = arg;
	const char *said = http_answer_header(answer, "x-amz-Checksum");
	struct digest digest;

	digest_of(DIGEST_SHA256, answer->body.data, answer->body.len, &digest);
	if (answer->body.len != BLOCK_SIZE || !said || base64_decode(said, strlen(said), &checksum) < 0 ||
	    checksum.len != BLOCK_DIGEST_SIZE || memcmp(checksum.data, digest.bytes, BLOCK_DIGEST_SIZE)) {
		(void)error_outside(err, "ebs:GetSnapshotBlock: block %" PRIu32 " of %s came damaged",
				    run->page.items[item].block, run->read->snapshot);
		return -EAGAIN;
	}
	memcpy(run->digests[item], digest.bytes, BLOCK_DIGEST_SIZE);
	return 0;
}

static int refused(void *arg, size_t item, const uint8_t *block, const struct aws_result *result, struct error *err)
{
	(void)arg;
	(void)item;
	(void)block;
	return error_outside(err, "%s", result->message);
}

static void progress(void *arg, size_t done)
{
	const struct run *run = arg;

	log_step_update((uint64_t)(run->fetched + done) * BLOCK_SIZE >> 20, 0, "MiB of the parent read");
}

/* ---------------------------------------------------------------- a page */

static int list_page(struct run *run, const char *token, uint32_t from, struct error *err)
{
	CLEANUP_HTTP_ANSWER struct http_answer *answer = NULL;
	char path[PATH_SIZE];
	struct aws_pair query[3] = { { "maxResults", "10000" } };
	size_t count = 1;
	int r;

	const struct aws_request q = {
		.service = "ebs",
		.method = "GET",
		.path = path,
		.query = query,
		.query_count = 1 + run->changed + (token ? 1 : 0),
		.answer_max = PAGE_MAX,
		.action = run->changed ? "ebs:ListChangedBlocks" : "ebs:ListSnapshotBlocks",
	};

	if (run->changed)
		query[count++] = (struct aws_pair){ "firstSnapshotId", run->read->near->snapshot };
	if (token)
		query[count] = (struct aws_pair){ "pageToken", token };
	(void)snprintf(path, sizeof(path), "/snapshots/%s/%s", run->read->snapshot,
		       run->changed ? "changedblocks" : "blocks");
	r = aws_call(run->read->aws, &q, &answer, err);
	if (r < 0)
		return r;
	ebs_page_free(&run->page);
	r = ebs_page_parse(answer->body.data, answer->body.len, run->changed, from, &run->page, err);
	if (r < 0)
		err->kind = ERROR_OUTSIDE;	/* not the user's text */
	return r;
}

/* Those that are there come first, for there is nothing to fetch of the others; then order again. */
static int compare_fetchable(const void *a, const void *b)
{
	const struct ebs_listed *x = a, *y = b;

	if (!x->token != !y->token)
		return !x->token ? 1 : -1;
	return x->block < y->block ? -1 : x->block > y->block;
}

static int compare_entries(const void *a, const void *b)
{
	const struct block_entry *x = a, *y = b;

	return x->block < y->block ? -1 : x->block > y->block;
}

static int fetch_page(struct run *run, struct error *err)
{
	struct transfers_job job = {
		.arg = run,
		.stall_s = run->read->stall_s,
		.begin = begin,
		.take = take,
		.refused = refused,
		.progress = progress,
	};
	size_t before = run->found.count;
	int r;

	if (run->page.count == 0)
		return 0;
	qsort(run->page.items, run->page.count, sizeof(*run->page.items), compare_fetchable);
	while (job.items < run->page.count && run->page.items[job.items].token)
		job.items++;
	free(run->digests);
	run->digests = memory_new(run->page.count * sizeof(*run->digests));
	r = transfers_run(run->read->transfers, run->read->aws, &job, err);
	for (size_t i = 0; r == 0 && i < run->page.count; i++)
		block_index_add(&run->found, run->page.items[i].block, i < job.items ? run->digests[i] : run->zeros);
	qsort(run->found.entries + before, run->found.count - before, sizeof(*run->found.entries), compare_entries);
	run->fetched += job.items;
	return r;
}

static int read_pages(struct run *run, struct error *err)
{
	CLEANUP_FREE char *token = NULL;
	uint32_t from = 0;
	int r;

	do {
		r = list_page(run, token, from, err);
		if (r < 0)
			return r;
		free(token);
		token = run->page.next ? string_copy(run->page.next) : NULL;
		if (run->page.count)
			from = run->page.items[run->page.count - 1].block + 1;
		r = fetch_page(run, err);
	} while (r == 0 && token);
	return r;
}

/* ---------------------------------------------------------------- all of them */

static void add_unless_zeros(const struct run *run, const struct block_entry *e, struct block_index *ret)
{
	if (memcmp(e->digest, run->zeros, BLOCK_DIGEST_SIZE))
		block_index_add(ret, e->block, e->digest);
}

/* What was found lies over what was known. */
static void merge(const struct run *run, const struct block_index *known, struct block_index *ret)
{
	size_t i = 0, k = 0;

	while (i < run->found.count || k < known->count) {
		const struct block_entry *a = i < run->found.count ? &run->found.entries[i] : NULL;
		const struct block_entry *b = k < known->count ? &known->entries[k] : NULL;

		if (a && (!b || a->block <= b->block)) {
			k += b && a->block == b->block;
			add_unless_zeros(run, a, ret);
			i++;
		} else {
			add_unless_zeros(run, b, ret);
			k++;
		}
	}
}

static int read_run(struct run *run, const struct block_index *known, struct block_index *ret, struct error *err)
{
	int r;

	block_digest_of_zeros(run->zeros);
	r = read_pages(run, err);
	if (r == 0)
		merge(run, known, ret);
	ebs_page_free(&run->page);
	free(run->digests);
	block_index_free(&run->found);
	return r;
}

int ebs_read(const struct ebs_read *read, struct block_index *ret, struct error *err)
{
	static const struct block_index none = BLOCK_INDEX_INIT;
	struct run all = { .read = read }, changed = { .read = read, .changed = true };
	struct error why = ERROR_INIT;
	int r;

	if (read->near) {
		r = read_run(&changed, &read->near->index, ret, &why);
		/* Not of one line, or one is gone, or it may not be asked. */
		if (r == 0)
			return 0;
		if (aws_last_outcome(read->aws) != AWS_REFUSED) {
			*err = why;
			return r;
		}
		log_debug("%s", why.message);
		block_index_free(ret);
	}
	return read_run(&all, &none, ret, err);
}
