/* SPDX-License-Identifier: Apache-2.0 */
#include "arguments.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "log.h"

#define OPTIONS_MAX 32
/* Values of getopt_long() for options without a letter; beyond any character. */
#define FIRST_LONG 256

struct parser {
	const struct command *command;
	const struct argument *table;
	struct option longs[OPTIONS_MAX + 3];
	char letters[2 * OPTIONS_MAX + 5];
};

static void add_letter(struct parser *p, char letter, bool takes_value)
{
	size_t len = strlen(p->letters);

	p->letters[len] = letter;
	p->letters[len + 1] = takes_value ? ':' : '\0';
}

static void prepare(struct parser *p)
{
	unsigned int n = 0;

	/* ':' tells a missing value from an unknown option. */
	p->letters[0] = ':';
	add_letter(p, 'q', false);
	add_letter(p, 'v', false);
	for (const struct argument *a = p->table; a->name && n < OPTIONS_MAX; a++, n++) {
		bool takes_value = a->kind != ARGUMENT_FLAG;

		p->longs[n] = (struct option) {
			.name = a->name,
			.has_arg = takes_value ? required_argument : no_argument,
			.val = FIRST_LONG + (int)n,
		};
		if (a->letter)
			add_letter(p, a->letter, takes_value);
	}
	p->longs[n++] = (struct option) { .name = "quiet", .val = 'q' };
	p->longs[n] = (struct option) { .name = "verbose", .val = 'v' };
}

static const struct argument *find(const struct parser *p, int option)
{
	if (option >= FIRST_LONG)
		return &p->table[option - FIRST_LONG];
	for (const struct argument *a = p->table; a->name; a++)
		if (a->letter && a->letter == option)
			return a;
	return NULL;
}

static int set_number(const struct parser *p, const struct argument *a, const char *text,
		      struct error *err)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || value < a->least || value > a->most)
		return error_input(err, "%s %s: --%s takes a number from %u to %u, not \"%s\"",
				   command_program(p->command), p->command->name, a->name, a->least, a->most, text);
	*(unsigned int *)a->target = (unsigned int)value;
	return 0;
}

static int add_to_list(const struct parser *p, const struct argument *a, const char *text, struct error *err)
{
	struct argument_list *list = a->target;

	if (list->count == ARGUMENT_LIST_MAX)
		return error_input(err, "%s %s: --%s may be given %d times at most", command_program(p->command),
				   p->command->name, a->name, ARGUMENT_LIST_MAX);
	list->items[list->count++] = text;
	return 0;
}

static int set(const struct parser *p, const struct argument *a, const char *value, struct error *err)
{
	if (a->kind != ARGUMENT_FLAG && !value[0])
		return error_input(err, "%s %s: --%s must not be empty", command_program(p->command), p->command->name,
				   a->name);
	switch (a->kind) {
	case ARGUMENT_FLAG:
		*(bool *)a->target = true;
		return 0;
	case ARGUMENT_TEXT:
		*(const char **)a->target = value;
		return 0;
	case ARGUMENT_LIST:
		return add_to_list(p, a, value, err);
	case ARGUMENT_NUMBER:
		return set_number(p, a, value, err);
	}
	return 0;
}

static int complain(const struct parser *p, int option, const char *word, struct error *err)
{
	const char *program = command_program(p->command), *name = p->command->name;

	if (option == ':')
		return error_input(err, "%s %s: %s needs a value", program, name, word);
	return error_input(err, "%s %s: unknown option \"%s\"; \"%s %s --help\" lists them", program, name, word,
			   program, name);
}

static int take_option(const struct parser *p, int option, const char *word, struct error *err)
{
	const struct argument *a;

	switch (option) {
	case 'q':
		log_set_level(LOG_WARNING);
		return 0;
	case 'v':
		log_set_level(LOG_DEBUG);
		return 0;
	case '?':
	case ':':
		return complain(p, option, word, err);
	}
	a = find(p, option);
	return a ? set(p, a, optarg, err) : complain(p, '?', word, err);
}

int arguments_parse(const struct command *command, const struct argument *table, int argc, char **argv,
		    const char *what, unsigned int least, unsigned int most, struct operands *ret,
		    struct error *err)
{
	struct parser p = { .command = command, .table = table };
	const char *program = command_program(command);
	int option, r;

	prepare(&p);
	opterr = 0;
	optind = 1;
	while ((option = getopt_long(argc, argv, p.letters, p.longs, NULL)) != -1) {
		r = take_option(&p, option, argv[optind - 1], err);
		if (r < 0)
			return r;
	}
	ret->items = argv + optind;
	ret->count = (unsigned int)(argc - optind);
	if (ret->count < least)
		return error_input(err, "%s %s: the %s is missing; usage: %s %s %s", program, command->name, what,
				   program, command->name, command->usage);
	if (ret->count > most)
		return error_input(err, "%s %s: \"%s\" is one argument too many; usage: %s %s %s", program,
				   command->name, ret->items[most], program, command->name, command->usage);
	return 0;
}
