/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_EBS_H
#define KILN_UPLOAD_EBS_H

#include <stdbool.h>
#include <stdint.h>

#include "../factory/base/buf.h"
#include "block_index.h"
#include "tag.h"

struct aws;
struct disk;
struct error;
struct journal;
struct transfers;

/* Snapshots by the EBS direct APIs (2019-11-02). */

struct ebs_start {
	uint32_t gib;
	const char *parent;		/* NULL: none; not together with key */
	const char *description;
	const char *token;		/* the same token and fields give the same snapshot */
	const char *key;		/* encrypted with this KMS key; NULL: as the account has it */
	const struct tags *tags;
};

/* Pure: the body of StartSnapshot. Appended. */
int ebs_start_body(const struct ebs_start *start, struct buf *ret, struct error *err);
/* Pure, fuzzed: what such a body says. `token` and `parent` are malloc'ed; parent is "" without one. */
int ebs_start_read(const char *body, char **ret_token, char **ret_parent, struct error *err);
/* Pure, fuzzed: the snapshot's id, malloc'ed, out of the answer. */
int ebs_start_answer(const void *json, size_t size, char **ret, struct error *err);

/* *ret_nothing: the request itself was refused, so no snapshot came of it, now or before. */
int ebs_start(struct aws *a, const char *body, char **ret_id, bool *ret_nothing, struct error *err);

/*
 * Sends the blocks of `plan` that the journal does not have, and notes each. A snapshot that has just been started may not be
 * known everywhere for a while: until EBS_SETTLES_MS have gone by, "no such snapshot" is tried again. ERROR_INPUT: the disk
 * is being written.
 */
#define EBS_SETTLES_MS 120000u
struct ebs_put {
	struct aws *aws;
	struct transfers *transfers;
	const struct disk *disk;
	const char *snapshot;
	const struct block_index *plan;
	struct journal *journal;
	unsigned int stall_s;
};
int ebs_put(const struct ebs_put *put, struct error *err);

/* Says that all blocks of `written` are there. *ret_again: the service has others, so they are to be sent once more. */
int ebs_complete(struct aws *a, const char *snapshot, const struct block_index *written, bool *ret_again,
		 struct error *err);

/*
 * What a snapshot holds, from the service: every block is fetched and digested, or with `near`, what is known of a snapshot
 * before it in the same line, only those that changed since. *ret is empty before.
 */
struct ebs_read {
	struct aws *aws;
	struct transfers *transfers;
	const char *snapshot;
	const struct block_record *near;	/* NULL: none */
	unsigned int stall_s;
};
int ebs_read(const struct ebs_read *read, struct block_index *ret, struct error *err);

#endif
