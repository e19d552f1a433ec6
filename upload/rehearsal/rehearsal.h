/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_REHEARSAL_H
#define KILN_REHEARSAL_REHEARSAL_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

#include "fault.h"
#include "object.h"
#include "settings.h"
#include "signer.h"

/* The server's state, and the way of a request through it. */

struct rehearsal {
	const char *data;		/* the directory */
	const char *account;
	int64_t started_ms;

	/* Operations of blocks hold it shared, the others alone. */
	pthread_rwlock_t lock;
	struct objects objects;
	struct signers signers;
	struct settings settings;

	/* What every request touches. Never held while waiting for the other. */
	pthread_mutex_t counting;
	struct faults faults;
	uint64_t *under_way;		/* by operation */
	FILE *requests;
};

/* Seconds of the epoch by the server's clock, which may have been set wrong. Under the lock. */
int64_t rehearsal_time(const struct rehearsal *r);
/* DIR/blocks/SNAPSHOT, malloc'ed. */
char *rehearsal_blocks(const struct rehearsal *r, const char *snapshot);

struct blocks;
/* A snapshot's contents: its layer and those below. */
int rehearsal_open_blocks(const struct rehearsal *r, const struct object *snapshot, struct blocks **ret,
			  struct error *err);

/* The handler for http_server.h; `arg` is the struct rehearsal. */
struct http_handler;
void rehearsal_handler(struct rehearsal *r, struct http_handler *ret);
/* How many operations there are: the size of `under_way`. */
size_t rehearsal_operations(void);

#endif
