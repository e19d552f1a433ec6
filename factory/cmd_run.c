/* SPDX-License-Identifier: Apache-2.0 */
#include "../vm-test/boot.h"
#include "arguments.h"
#include "base/error.h"
#include "base/log.h"
#include "shipped.h"

static int run(int argc, char **argv, struct error *err)
{
	CLEANUP_SHIPPED struct shipped shipped = SHIPPED_INIT;
	struct boot_options options = { .port = 3000 };
	const char *manifest = NULL;
	struct operands operands;
	int r;

	const struct argument table[] = {
		{ .name = "manifest", .kind = ARGUMENT_TEXT, .target = &manifest },
		{ .name = "port", .kind = ARGUMENT_NUMBER, .target = &options.port, .least = 1, .most = 65535 },
		{ .name = "memory", .kind = ARGUMENT_NUMBER, .target = &options.memory_mib,
		  .least = 256, .most = 1048576 },
		{ .name = NULL },
	};

	r = arguments_parse(&command_run, table, argc, argv, "disk", 1, 1, &operands, err);
	if (r == 0)
		r = shipped_open(operands.items[0], manifest, false, &shipped, err);
	if (r < 0)
		return r;
	shipped_boot_options(&shipped, &options);
	log_info("http://127.0.0.1:%u/ is the machine's service; Ctrl-A X ends it", options.port);
	return boot_run(&options, shipped.manifest, err);
}

const struct command command_run = {
	.name = "run",
	.run = run,
	.summary = "boot a disk with its console on this terminal",
	.usage = "DISK [--manifest FILE] [--port N] [--memory MIB]",
	.help =
		"The machine is that of \"kiln test\", with the service's port forwarded and nothing compared. The disk\n"
		"is not written. Ctrl-A X ends it.\n"
		"\n"
		"    --manifest FILE   which firmware belongs to the disk; manifest.json beside it by default\n"
		"    --port N          port of 127.0.0.1 for the service, 3000 by default\n"
		"    --memory MIB      the machine's memory, 1024 by default\n",
};
