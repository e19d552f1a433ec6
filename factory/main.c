/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/cleanup.h"
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
	&command_upload,
};

int main(int argc, char **argv)
{
	const struct command_table table = { "kiln", commands, ARRAY_SIZE(commands) };

	/* QEMU's memory holds the guest's; the limit is inherited. */
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit) { 0 });
	umask(022);
	return command_main(&table, argc, argv);
}
