/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_ERROR_H
#define KILN_BASE_ERROR_H

#include <stdarg.h>

/*
 * The one error idiom.
 *
 * A function that can fail takes `struct error *err` as its last parameter and returns 0 or a
 * negative errno. On failure it sets *err exactly once, at the place that knows most; each caller
 * that can say where prefixes with error_wrap(). On success *err is left untouched. Libraries
 * never print: main() and the cmd_*.c files report. `err` must not be NULL.
 */

enum error_kind {
	ERROR_NONE,	/* nothing went wrong */
	ERROR_VERDICT,	/* the check said no: exit code 1 */
	ERROR_INPUT,	/* bad use or bad input: exit code 2 */
	ERROR_OUTSIDE,	/* something outside Kiln failed (disk, tool, network): exit code 3 */
};

struct error {
	enum error_kind kind;
	int code;		/* positive errno */
	char message[2048];	/* one sentence, no newline at the end, no "error:" in front */
};

#define ERROR_INIT { .kind = ERROR_NONE }

/* The user's input is wrong. Returns -EINVAL. */
int error_input(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A check has been made and its answer is no. Returns -EBADMSG. */
int error_verdict(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A system call failed; ": strerror(code)" is appended. `code` may have either sign. Returns -code. */
int error_system(struct error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A tool, library or service outside failed and has said why. Returns -EIO. */
int error_outside(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Puts "CONTEXT: " before the message already there. Returns the error's own negative errno. */
int error_wrap(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The process exit code for an error: 0 for ERROR_NONE, else 1, 2 or 3. */
int error_exit_code(const struct error *err);

/* Lack of memory is the one failure nobody can act on: says so on standard error and aborts. */
_Noreturn void error_no_memory(void);

#endif
