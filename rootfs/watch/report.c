/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include <stdio.h>
#include <string.h>

#define LINES_MAX 32		/* what comes after is only more of the same */
#define LINE_SIZE 800

static FILE *file;
static char lines[LINES_MAX][LINE_SIZE];
static size_t count;

bool report_open(const char *path)
{
	file = fopen(path, "we");
	return file != NULL;
}

static void write_line(char ret[static LINE_SIZE], const char *command, enum aim aim,
		       const struct address *address)
{
	char to[64];

	if (aim == AIM_NAME_SERVER) {
		(void)snprintf(ret, LINE_SIZE, "%s asked for the address of a host", command);
		return;
	}
	aim_describe(address->bytes, address->size, to, sizeof(to));
	(void)snprintf(ret, LINE_SIZE, "%s tried to reach %s", command, to);
}

bool report_add(const char *command, enum aim aim, const struct address *address)
{
	char line[LINE_SIZE];

	write_line(line, command, aim, address);
	for (size_t i = 0; i < count; i++)
		if (strcmp(lines[i], line) == 0)
			return true;
	if (count == LINES_MAX)
		return true;
	memcpy(lines[count++], line, sizeof(line));
	(void)fprintf(stderr, "kiln: %s\n", line);
	return fprintf(file, "%s\n", line) >= 0 && fflush(file) == 0;
}
