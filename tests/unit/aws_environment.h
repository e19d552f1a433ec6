/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_TESTS_UNIT_AWS_ENVIRONMENT_H
#define KILN_TESTS_UNIT_AWS_ENVIRONMENT_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "tests/unit/tap.h"

/*
 * An environment without anything of AWS in it but what the test puts there, and a home directory of its own; and no
 * address of AWS within reach: the instance's metadata are asked for nowhere.
 */

static struct scratch aws_home = SCRATCH_INIT;

__attribute__((unused)) static void aws_environment_clear(void)
{
	extern char **environ;
	char **at = environ;

	while (*at) {
		if (strncmp(*at, "AWS_", 4) != 0 && !strstr(*at, "_proxy=") && !strstr(*at, "_PROXY=")) {
			at++;
			continue;
		}
		CLEANUP_FREE char *name = strndup(*at, strcspn(*at, "="));

		unsetenv(name);
	}
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
}

__attribute__((unused)) static void aws_environment_begin(void)
{
	struct error err = ERROR_INIT;

	aws_environment_clear();
	need(io_scratch_new("/tmp", &aws_home, &err) == 0, "a home directory (%s)", err.message);
	setenv("HOME", aws_home.path, 1);
}

/* A file below the home directory; returns its path until the next call. */
__attribute__((unused)) static const char *aws_home_file(const char *name, const char *text)
{
	static char path[512];
	CLEANUP_FREE char *directory = NULL;
	struct error err = ERROR_INIT;

	snprintf(path, sizeof(path), "%s/%s", aws_home.path, name);
	directory = path_directory(path);
	need(io_mkdirs(directory, 0700, &err) == 0, "its directory (%s)", err.message);
	need(io_write_file(path, text, strlen(text), 0600, &err) == 0, "written (%s)", err.message);
	return path;
}

__attribute__((unused)) static void aws_environment_end(void)
{
	io_scratch_free(&aws_home);
}

#endif
