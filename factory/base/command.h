/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_COMMAND_H
#define KILN_BASE_COMMAND_H

#include <stddef.h>

struct error;

#define KILN_VERSION "0.1"

/*
 * A program of verbs. Each verb parses its arguments (arguments.h), makes one call into the parts below, and
 * prints the result on standard output; messages and errors go to standard error.
 */
struct command {
	const char *name;
	/* argv[0] is the verb. 0, or what is to be reported in *err; its kind makes the exit code. */
	int (*run)(int argc, char **argv, struct error *err);
	const char *summary;	/* one line */
	const char *usage;	/* "DIR [-o OUT]" */
	const char *help;	/* what it does and its options: whole lines */
	const char *program;	/* whose verb it is; NULL: kiln */
};

/* "kiln", "kiln-upload". */
const char *command_program(const struct command *command);

struct command_table {
	const char *program;
	const struct command *const *commands;
	size_t count;
};

/*
 * What main() does once the process is set up: options before the verb, --help, --version, the verb; then
 * standard output is closed, for a result that did not reach its reader is none. Reports an error on standard
 * error and returns the exit code: 0 done, 1 the check said no, 2 bad use or bad input, 3 something outside failed.
 */
int command_main(const struct command_table *table, int argc, char **argv);

#endif
