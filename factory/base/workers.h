/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_WORKERS_H
#define KILN_BASE_WORKERS_H

#include <stddef.h>

struct error;

/*
 * Independent pieces of work, side by side on the processors this process may use. For computing only: a
 * piece may not start children, and signals are left to the thread that called.
 */

/* At least 1; what sched_getaffinity() and WORKERS_MAX allow. */
#define WORKERS_MAX 64
unsigned int workers_count(void);

/*
 * Calls run(arg, 0) to run(arg, pieces - 1), each once, and returns when all have ended. Pieces are
 * begun in this order, so put long ones first. Where no thread can be started the caller does the
 * work alone.
 */
void workers_run(size_t pieces, void (*run)(void *arg, size_t piece), void *arg);
/* The same for pieces that can fail: after the first failure, whose error it is, or an interrupting signal no
 * piece is begun any more. */
int workers_try(size_t pieces, int (*run)(void *arg, size_t piece, struct error *err), void *arg,
		struct error *err);

#endif
