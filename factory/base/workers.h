/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_WORKERS_H
#define KILN_BASE_WORKERS_H

#include <stddef.h>

/*
 * Independent pieces of work, side by side on the processors this process may use. For computing only: a
 * piece may not start children, and signals are left to the thread that called.
 */

/* At least 1; what sched_getaffinity() and WORKERS_MAX allow. */
#define WORKERS_MAX 64
unsigned int workers_count(void);

/*
 * Calls run(arg, 0) to run(arg, pieces - 1), each once, and returns when all have ended. Pieces are
 * begun in this order, so put long ones first. What a piece finds wrong it keeps in a place of its
 * own. Where no thread can be started the caller does the work alone.
 */
void workers_run(size_t pieces, void (*run)(void *arg, size_t piece), void *arg);

#endif
