/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../factory/base/cleanup.h"
#include "commands.h"

static const struct command *const commands[] = {
	&command_upload,
	&command_abort,
	&command_list,
	&command_deregister,
	&command_prune,
	&command_identity,
	&command_deploy,
};

int main(int argc, char **argv)
{
	const struct command_table table = { UPLOAD_PROGRAM, commands, ARRAY_SIZE(commands) };

	/* Credentials are in memory: no core dump, whatever the system's pattern, and no other process looks in. */
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit) { 0 });
	if (prctl(PR_SET_DUMPABLE, 0) < 0) {
		perror(UPLOAD_PROGRAM ": cannot forbid core dumps");
		return 3;
	}
	umask(022);
	return command_main(&table, argc, argv);
}
