/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_COMMANDS_H
#define KILN_FACTORY_COMMANDS_H

struct error;

#define KILN_VERSION "0.1"

/*
 * The verbs. Each parses its arguments, makes one call into the parts below, and prints the result on
 * standard output; messages and errors go to standard error.
 */
struct command {
	const char *name;
	/* argv[0] is the verb. 0, or what is to be reported in *err; its kind makes the exit code. */
	int (*run)(int argc, char **argv, struct error *err);
	const char *summary;	/* one line */
	const char *usage;	/* "DIR [-o OUT]" */
	const char *help;	/* what it does and its options: whole lines */
};

extern const struct command command_doctor;
extern const struct command command_fetch;
extern const struct command command_build;
extern const struct command command_measure;
extern const struct command command_inspect;
extern const struct command command_compare;
extern const struct command command_audit;
extern const struct command command_test;
extern const struct command command_tamper;
extern const struct command command_policy;
extern const struct command command_run;
extern const struct command command_store;
extern const struct command command_keys;
extern const struct command command_sign;

#endif
