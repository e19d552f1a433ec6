/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/log.h"
#include "../../factory/base/process.h"
#include "../../factory/model/memory.h"
#include "commands.h"

static const struct command *const commands[] = {
	&command_serve,
	&command_export,
};

/* Before a verb, command_main() knows only these. */
static bool is_general(const char *option)
{
	static const char *const options[] = { "--quiet", "-q", "--verbose", "-v", "--version", "--help", "-h" };

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (strcmp(option, options[i]) == 0)
			return true;
	return false;
}

/* Options alone are the server's: "serve" is put before them. *ret_argc is the new number. */
static char **add_verb(int argc, char **argv, int *ret_argc)
{
	static char verb[] = "serve";
	char **words = memory_new(((size_t)argc + 2) * sizeof(*words));
	bool missing = argc > 1 && argv[1][0] == '-' && !is_general(argv[1]);

	words[0] = argv[0];
	if (missing)
		words[1] = verb;
	memcpy(words + 1 + missing, argv + 1, (size_t)(argc - 1) * sizeof(*words));
	*ret_argc = argc + missing;
	return words;
}

int main(int argc, char **argv)
{
	const struct command_table table = { REHEARSAL_PROGRAM, commands, ARRAY_SIZE(commands) };
	struct error err = ERROR_INIT;
	CLEANUP_FREE char **words = NULL;

	umask(022);
	if (process_catch_signals(&err) < 0) {
		log_error("%s", err.message);
		return error_exit_code(&err);
	}
	words = add_verb(argc, argv, &argc);
	return command_main(&table, argc, words);
}
