/* SPDX-License-Identifier: Apache-2.0 */
#include "watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMAND_SIZE 300		/* of a command line in a message */
#define DEPTH_MAX 64		/* generations that are followed up to the script */

static size_t read_file(pid_t pid, const char *name, char *ret, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, ret, size);
	close(fd);
	return n > 0 ? (size_t)n : 0;
}

void command_clean(char *line, size_t len, size_t size)
{
	static const char more[] = "...";
	bool full = len + 1 >= size;

	while (len > 0 && (line[len - 1] == '\0' || line[len - 1] == '\n')) {
		len--;
		full = false;
	}
	for (size_t i = 0; i < len; i++)
		if (line[i] == '\0' || line[i] == '\n' || line[i] == '\t')
			line[i] = ' ';
		else if (line[i] < ' ' || line[i] > '~')
			line[i] = '?';
	line[len] = '\0';
	if (full && len >= strlen(more))
		memcpy(line + len - strlen(more), more, strlen(more));
}

/* The kernel's own threads and the dead have no arguments. */
static void read_command(pid_t pid, char ret[static COMMAND_SIZE])
{
	size_t len = read_file(pid, "cmdline", ret, COMMAND_SIZE - 1);

	if (len == 0)
		len = read_file(pid, "comm", ret, COMMAND_SIZE - 1);
	command_clean(ret, len, COMMAND_SIZE);
}

pid_t command_parent(const char *status)
{
	static const char field[] = "\nPPid:";
	const char *found = strstr(status, field);

	return found ? (pid_t)strtol(found + strlen(field), NULL, 10) : 0;
}

static pid_t parent_of(pid_t pid)
{
	char text[4096];

	text[read_file(pid, "status", text, sizeof(text) - 1)] = '\0';
	return command_parent(text);
}

/*
 * The eldest of `pid` and its forefathers below the script that has arguments of its own: between may be
 * subshells, which still have the script's. A process whose forefathers are gone is its own eldest.
 */
static void find_command(pid_t script, pid_t pid, char ret[static COMMAND_SIZE])
{
	char of_script[COMMAND_SIZE], line[COMMAND_SIZE];

	read_command(script, of_script);
	memcpy(ret, of_script, sizeof(of_script));
	for (int depth = 0; depth < DEPTH_MAX && pid > 1 && pid != script && pid != getpid(); depth++) {
		read_command(pid, line);
		if (line[0] && strcmp(line, of_script) != 0)
			memcpy(ret, line, sizeof(line));
		pid = parent_of(pid);
	}
}

void command_describe(pid_t script, pid_t pid, char *ret, size_t size)
{
	char command[COMMAND_SIZE], own[COMMAND_SIZE];

	find_command(script, pid, command);
	read_command(pid, own);
	if (own[0] == '\0' || strcmp(own, command) == 0)
		(void)snprintf(ret, size, "\"%s\"", command);
	else
		(void)snprintf(ret, size, "\"%s\" (%s)", command, own);
}
