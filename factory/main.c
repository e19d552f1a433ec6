/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "base/process.h"
#include "commands.h"

static const struct command *const commands[] = {
	&command_doctor,
	&command_fetch,
	&command_build,
	&command_measure,
	&command_inspect,
	&command_compare,
	&command_audit,
	&command_test,
	&command_tamper,
	&command_policy,
	&command_run,
	&command_store,
	&command_keys,
	&command_sign,
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static void print_help(void)
{
	printf("usage: kiln [--quiet | --verbose] VERB ...\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("    %-8s %s\n", commands[i]->name, commands[i]->summary);
	printf("\n\"kiln VERB --help\" says more of one.\n"
	       "Exit codes: 0 done, 1 the check said no, 2 bad use or bad input, 3 something outside failed.\n");
}

static void print_command_help(const struct command *c)
{
	printf("usage: kiln %s%s%s\n\n%s", c->name, c->usage[0] ? " " : "", c->usage, c->help);
}

static int unknown_verb(const char *name, struct error *err)
{
	return error_input(err, "unknown verb \"%s\"; \"kiln help\" lists them", name);
}

static int help(int argc, char **argv, struct error *err)
{
	const struct command *c;

	if (argc < 2) {
		print_help();
		return 0;
	}
	c = find_command(argv[1]);
	if (!c)
		return unknown_verb(argv[1], err);
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

static int run_verb(int argc, char **argv, struct error *err)
{
	const struct command *c;

	if (strcmp(argv[0], "help") == 0)
		return help(argc, argv, err);
	c = find_command(argv[0]);
	if (!c)
		return unknown_verb(argv[0], err);
	if (asks_for_help(argc, argv)) {
		print_command_help(c);
		return 0;
	}
	return c->run(argc, argv, err);
}

/* What stands before the verb. */
static int run(int argc, char **argv, struct error *err)
{
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (word[0] != '-')
			return run_verb(argc - i, argv + i, err);
		if (strcmp(word, "--quiet") == 0 || strcmp(word, "-q") == 0) {
			log_set_level(LOG_WARNING);
		} else if (strcmp(word, "--verbose") == 0 || strcmp(word, "-v") == 0) {
			log_set_level(LOG_DEBUG);
		} else if (strcmp(word, "--version") == 0) {
			printf("kiln %s\n", KILN_VERSION);
			return 0;
		} else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
			print_help();
			return 0;
		} else {
			return error_input(err, "unknown option \"%s\" before the verb; \"kiln help\" lists the verbs",
					   word);
		}
	}
	return error_input(err, "a verb is missing; \"kiln help\" lists them");
}

/* A result that did not reach its reader is no result. */
static int flush_results(struct error *err)
{
	bool failed = ferror(stdout);

	errno = 0;
	if (fclose(stdout) < 0)
		failed = true;
	return failed ? error_system(err, errno ? errno : EIO, "cannot write to standard output") : 0;
}

int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;
	int r;

	/* QEMU's memory holds the guest's; the limit is inherited. */
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit) { 0 });
	umask(022);
	r = process_catch_signals(&err);
	if (r == 0)
		r = run(argc, argv, &err);
	if (r == 0)
		r = flush_results(&err);
	if (r < 0)
		log_error("%s", err.message);
	(void)log_open_file(NULL, &err);	/* closing cannot fail */
	return r < 0 ? error_exit_code(&err) : 0;
}
