/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_CHILD_H
#define KILN_BASE_CHILD_H

#include <stddef.h>
#include <sys/types.h>

#include "buf.h"

struct error;
struct sandbox;

/*
 * How a child is run (process.h). Children get an argument vector (never a shell), the environment given
 * (never all of ours by accident), every descriptor above 2 closed except those passed, a session
 * of their own, default signals, and SIGKILL when this process dies, however it dies.
 */
struct process_options {
	const char *const *argv;	/* NULL-terminated; argv[0] is looked up in PATH */
	const char *name;		/* what messages call it; NULL: the last part of argv[0] */
	const char *const *env;		/* NULL: PATH, HOME, LANG=C.UTF-8, TMPDIR and nothing else */
	const char *cwd;		/* NULL: ours */
	const char *input;		/* text for its standard input; NULL: /dev/null */
	struct buf *output;		/* standard output is appended; NULL: to the log file */
	int output_fd;			/* > 0: its standard output goes here instead */
	const int *pass_fds;		/* -1-terminated descriptors it inherits at the same numbers */
	const struct sandbox *sandbox;	/* what it may touch (sandbox.h); NULL: what we may */
	unsigned int timeout_ms;	/* process_run() only; 0: none; then SIGTERM, and SIGKILL two
					 * seconds later */
};

/* Is there such a program in PATH? Absolute path, malloc'ed, or NULL. */
char *process_find(const char *name);

/*
 * The fork and exec under process.c, and nobody else's. Returns once the program runs: what keeps
 * it from running (missing, not executable, no such directory) is an error here. `in`, `out` and
 * `err_fd` become descriptors 0 to 2; they stay the caller's to close.
 */
int child_start(const struct process_options *options, int in, int out, int err_fd, pid_t *ret,
		struct error *err);

#endif
