/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_DIGEST_BATCH_H
#define KILN_BASE_DIGEST_BATCH_H

#include <stddef.h>
#include <sys/uio.h>

#include "digest.h"

/*
 * Digests of many messages that lie in memory, computed side by side. Messages that begin with the
 * whole of another one (the same pieces at the same addresses) share the work for it.
 */
struct digest_batch {
	struct message *messages;
	size_t count, cap;
};
#define DIGEST_BATCH_INIT { .messages = NULL }

/* The message is the pieces in their order. The bytes and `ret` must stay until digest_batch_run(); the
 * array of pieces need not. Aborts for lack of memory. */
void digest_batch_add(struct digest_batch *b, enum digest_alg alg, const struct iovec *pieces,
		      size_t count, struct digest *ret);
/* Writes each digest to its `ret`, and empties the batch. */
void digest_batch_run(struct digest_batch *b);
void digest_batch_free(struct digest_batch *b);
#define CLEANUP_DIGEST_BATCH __attribute__((cleanup(digest_batch_free)))

#endif
