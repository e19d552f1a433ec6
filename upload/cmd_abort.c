/* SPDX-License-Identifier: Apache-2.0 */
#include "../factory/base/arguments.h"
#include "../factory/base/error.h"
#include "aws.h"
#include "commands.h"
#include "upload.h"

static int abort_upload(int argc, char **argv, struct error *err)
{
	struct aws_options options = { .region = NULL };
	struct operands operands;
	int r;

	const struct argument table[] = {
		AWS_ARGUMENTS(options),
		{ .name = NULL },
	};

	r = arguments_parse(&command_abort, table, argc, argv, "disk", 1, 1, &operands, err);
	return r < 0 ? r : upload_abort(operands.items[0], &options, err);
}

const struct command command_abort = {
	.name = "abort",
	.program = UPLOAD_PROGRAM,
	.run = abort_upload,
	.summary = "delete what an upload has begun and not finished",
	.usage = "DISK [--region REGION] [--profile NAME]",
	.help =
		"Deletes the snapshot that was begun beside DISK, and an image of it if one was registered, and forgets the\n"
		"upload. Prints what it removed.\n"
		"\n"
		AWS_ARGUMENTS_HELP,
};
