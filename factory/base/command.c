/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "log.h"
#include "process.h"

const char *command_program(const struct command *command)
{
	return command->program ? command->program : "kiln";
}

static const struct command *find_command(const struct command_table *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->commands[i]->name, name) == 0)
			return t->commands[i];
	return NULL;
}

static void print_help(const struct command_table *t)
{
	printf("usage: %s [--quiet | --verbose] VERB ...\n\n", t->program);
	for (size_t i = 0; i < t->count; i++)
		printf("    %-10s %s\n", t->commands[i]->name, t->commands[i]->summary);
	printf("\n\"%s VERB --help\" says more of one.\n"
	       "Exit codes: 0 done, 1 the check said no, 2 bad use or bad input, 3 something outside failed.\n",
	       t->program);
}

static void print_command_help(const struct command *c)
{
	printf("usage: %s %s%s%s\n\n%s", command_program(c), c->name, c->usage[0] ? " " : "", c->usage, c->help);
}

static int unknown_verb(const struct command_table *t, const char *name, struct error *err)
{
	return error_input(err, "unknown verb \"%s\"; \"%s help\" lists them", name, t->program);
}

static int help(const struct command_table *t, int argc, char **argv, struct error *err)
{
	const struct command *c;

	if (argc < 2) {
		print_help(t);
		return 0;
	}
	c = find_command(t, argv[1]);
	if (!c)
		return unknown_verb(t, argv[1], err);
	print_command_help(c);
	return 0;
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

static int run_verb(const struct command_table *t, int argc, char **argv, struct error *err)
{
	const struct command *c;

	if (strcmp(argv[0], "help") == 0)
		return help(t, argc, argv, err);
	c = find_command(t, argv[0]);
	if (!c)
		return unknown_verb(t, argv[0], err);
	if (asks_for_help(argc, argv)) {
		print_command_help(c);
		return 0;
	}
	return c->run(argc, argv, err);
}

/* What stands before the verb. */
static int run(const struct command_table *t, int argc, char **argv, struct error *err)
{
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (word[0] != '-')
			return run_verb(t, argc - i, argv + i, err);
		if (strcmp(word, "--quiet") == 0 || strcmp(word, "-q") == 0) {
			log_set_level(LOG_WARNING);
		} else if (strcmp(word, "--verbose") == 0 || strcmp(word, "-v") == 0) {
			log_set_level(LOG_DEBUG);
		} else if (strcmp(word, "--version") == 0) {
			printf("%s %s\n", t->program, KILN_VERSION);
			return 0;
		} else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
			print_help(t);
			return 0;
		} else {
			return error_input(err, "unknown option \"%s\" before the verb; \"%s help\" lists the verbs",
					   word, t->program);
		}
	}
	return error_input(err, "a verb is missing; \"%s help\" lists them", t->program);
}

static int flush_results(struct error *err)
{
	bool failed = ferror(stdout);

	errno = 0;
	if (fclose(stdout) < 0)
		failed = true;
	return failed ? error_system(err, errno ? errno : EIO, "cannot write to standard output") : 0;
}

int command_main(const struct command_table *table, int argc, char **argv)
{
	struct error err = ERROR_INIT;
	int r = process_catch_signals(&err);

	if (r == 0)
		r = run(table, argc, argv, &err);
	if (r == 0)
		r = flush_results(&err);
	if (r < 0)
		log_error("%s", err.message);
	(void)log_open_file(NULL, &err);	/* closing cannot fail */
	return r < 0 ? error_exit_code(&err) : 0;
}
