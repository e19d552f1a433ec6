/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_TRANSFERS_H
#define KILN_UPLOAD_TRANSFERS_H

#include <stddef.h>
#include <stdint.h>

#include "aws.h"

struct error;

/*
 * Many calls of one kind, side by side: as many as there are connections, fewer when the service throttles, each tried
 * again until it is done. Memory is one block a connection, made when it is first used.
 */
struct transfers;

#define TRANSFERS_MOST 512
struct transfers *transfers_new(unsigned int connections);
/* After the `struct aws` that it was run with: what is under way when a run fails has its blocks in here. */
void transfers_free(struct transfers *t);
void transfers_freep(struct transfers **t);
#define CLEANUP_TRANSFERS __attribute__((cleanup(transfers_freep)))

struct transfers_job {
	void *arg;
	size_t items;			/* 0 to items - 1, begun in this order */
	unsigned int stall_s;		/* so long without an item done, and the run fails */
	/*
	 * Begins the call of an item with aws_begin(..., done, done_arg). `block` has BLOCK_SIZE bytes, which stay with
	 * the item until it is done; `attempt` is 0 for the first time.
	 */
	int (*begin)(void *arg, size_t item, unsigned int attempt, uint8_t *block, aws_done *done, void *done_arg,
		     struct error *err);
	/* The answer of a call that is done. -EAGAIN: it is none, for the reason in *err; the item is tried again. */
	int (*take)(void *arg, size_t item, const struct http_answer *answer, struct error *err);
	/* What the service refused: 0 tries it again, anything else is the run's failure. */
	int (*refused)(void *arg, size_t item, const uint8_t *block, const struct aws_result *result,
		       struct error *err);
	/* So many items are done; for the progress line. */
	void (*progress)(void *arg, size_t done);
};

/* -EINTR after a signal. */
int transfers_run(struct transfers *t, struct aws *aws, const struct transfers_job *job, struct error *err);

#endif
