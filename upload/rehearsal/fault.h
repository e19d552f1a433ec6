/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_FAULT_H
#define KILN_REHEARSAL_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "../../factory/base/buf.h"

struct error;

/* What goes wrong on command. README.md has each with its fields. */

enum fault_kind {
	FAULT_NONE,
	/* instead of the operation */
	FAULT_THROTTLE, FAULT_RATE, FAULT_CONCURRENCY, FAULT_INTERNAL, FAULT_UNAVAILABLE, FAULT_NOT_FOUND,
	FAULT_ACCESS_DENIED, FAULT_EXPIRED_TOKEN, FAULT_ERROR, FAULT_GARBAGE, FAULT_CUT_REQUEST, FAULT_STALL,
	/* around it */
	FAULT_SLOW, FAULT_TRICKLE, FAULT_CUT_ANSWER, FAULT_LOST_ANSWER,
	/* within it */
	FAULT_WRONG_CHECKSUM, FAULT_CORRUPT, FAULT_DROP_BLOCK, FAULT_PENDING, FAULT_FAILED,
};

struct fault {
	enum fault_kind kind;
	char operation[40];		/* "*": every one */
	uint64_t after, every, times;
	uint64_t ms, bytes, per_second, limit, status;
	char code[80], message[200];

	uint64_t seen, hit;		/* requests of the operation, and those that it hit */
	int64_t second;			/* FAULT_RATE: which one, and how many came in it */
	uint64_t in_second;
};

#define FAULTS_MAX 32
struct faults {
	struct fault items[FAULTS_MAX];
	size_t count;
};

/* Appends what the text has; on failure nothing. ERROR_INPUT. Fuzzed. */
int faults_parse(const char *text, size_t size, struct faults *ret, struct error *err);
/* Appends them as JSON, with "seen" and "hit". `ret` has no limit. */
void faults_format(const struct faults *faults, struct buf *ret);

/* What a fault may depend on. */
struct fault_situation {
	const char *operation;
	int64_t now_ms;
	uint64_t under_way;		/* requests of the operation, this one included */
	int64_t age_ms;			/* of the object that the request is about; INT64_MAX when there is none */
};

/* The first that hits, counted, as a copy; FAULT_NONE when there is none. */
void faults_take(struct faults *faults, const struct fault_situation *s, struct fault *ret);

#endif
