/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_CHILD_H
#define KILN_BASE_CHILD_H

#include <sys/types.h>

struct error;
struct process_options;

/*
 * The fork and exec under process.c, and nobody else's. Returns once the program runs: what keeps
 * it from running (missing, not executable, no such directory) is an error here. `in`, `out` and
 * `err_fd` become descriptors 0 to 2; they stay the caller's to close.
 */
int child_start(const struct process_options *options, int in, int out, int err_fd, pid_t *ret,
		struct error *err);

#endif
