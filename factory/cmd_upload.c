/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "commands.h"

#define UPLOADER "kiln-upload"

/* The program beside this one: kiln itself is linked with no network library. */
static int find_uploader(char **ret, struct error *err)
{
	CLEANUP_FREE char *directory = NULL;
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		return error_system(err, errno, "cannot find out where this program is");
	self[n] = '\0';
	directory = path_directory(self);
	*ret = path_join(directory, UPLOADER);
	if (!io_exists(*ret))
		return error_input(err, "%s is missing: it is built and installed together with kiln", *ret);
	return 0;
}

static int upload(int argc, char **argv, struct error *err)
{
	CLEANUP_FREE char **arguments = calloc((size_t)argc + 2, sizeof(*arguments));
	CLEANUP_FREE char *program = NULL;
	int r = find_uploader(&program, err);

	if (!arguments)
		error_no_memory();
	if (r < 0)
		return r;
	/* argv begins with "upload", which is the verb there, too. */
	arguments[0] = program;
	memcpy(arguments + 1, argv, (size_t)argc * sizeof(*arguments));
	execv(program, arguments);
	return error_system(err, errno, "cannot run %s", program);
}

const struct command command_upload = {
	.name = "upload",
	.run = upload,
	.summary = "send a proven disk to EC2 (runs kiln-upload, the program that knows a network)",
	.usage = "DISK ...",
	.help =
		"Runs \"kiln-upload upload\" with the same arguments, the program beside kiln that is linked with a network\n"
		"library. \"kiln-upload upload --help\" says what it does and lists its options, \"kiln-upload help\" its\n"
		"other verbs.\n",
};
