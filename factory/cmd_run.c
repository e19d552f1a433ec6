/* SPDX-License-Identifier: Apache-2.0 */
#include "../vm-test/boot.h"
#include "base/error.h"
#include "base/log.h"
#include "boot_request.h"
#include "commands.h"

static int run(int argc, char **argv, struct error *err)
{
	CLEANUP_BOOT_REQUEST struct boot_request request = BOOT_REQUEST_INIT(.port = 3000);
	int r = boot_request_parse(&command_run, argc, argv, false, &request, err);

	if (r < 0)
		return r;
	log_info("http://127.0.0.1:%u/ is the machine's service; Ctrl-A X ends it", request.options.port);
	return boot_run(&request.options, request.shipped.manifest, err);
}

const struct command command_run = {
	.name = "run",
	.run = run,
	.summary = "boot a disk with its console on this terminal",
	.usage = "DISK [--secure-boot KEYRING] [--manifest FILE] [--port N] [--memory MIB]",
	.help =
		"The machine is that of \"kiln test\", with the service's port forwarded and nothing compared. The disk\n"
		"is not written. Ctrl-A X ends it.\n"
		"\n"
		"    --secure-boot KEYRING   with Secure Boot on, and this keyring's keys in the firmware\n"
		"    --manifest FILE   which firmware belongs to the disk; manifest.json beside it by default\n"
		"    --port N          port of 127.0.0.1 for the service, 3000 by default\n"
		"    --memory MIB      the machine's memory, 1024 by default\n",
};
