/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_ARGUMENTS_H
#define KILN_BASE_ARGUMENTS_H

#include "command.h"

/* A verb's options and operands. Every complaint is ERROR_INPUT and names the verb. */

enum argument_kind {
	ARGUMENT_FLAG,		/* target: bool */
	ARGUMENT_TEXT,		/* target: const char * */
	ARGUMENT_NUMBER,	/* target: unsigned int, within least and most */
	ARGUMENT_LIST,		/* target: struct argument_list; may be given often */
};

#define ARGUMENT_LIST_MAX 64
struct argument_list {
	const char *items[ARGUMENT_LIST_MAX];
	unsigned int count;
};

struct argument {
	const char *name;	/* long name */
	char letter;		/* short one, or 0 */
	enum argument_kind kind;
	void *target;		/* left alone when the option is not given */
	unsigned int least, most;
};

struct operands {
	char **items;		/* NULL-terminated */
	unsigned int count;
};

/*
 * `table` ends with a NULL name. --quiet and --verbose are known to every verb. Operands may stand between
 * options; their number must be within `least` and `most`, and `what` names them for messages ("description
 * directory").
 */
int arguments_parse(const struct command *command, const struct argument *table, int argc, char **argv,
		    const char *what, unsigned int least, unsigned int most, struct operands *ret,
		    struct error *err);

#endif
