/* SPDX-License-Identifier: Apache-2.0 */
#include "init.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* The kernel cuts a record of its log somewhat above this. */
#define LINE_MAX_SIZE 900

/* Levels of the kernel's log: a fatal line shows even on a quiet console. */
#define LEVEL_CRITICAL 2
#define LEVEL_INFO 6

static void write_log(int level, const char *text)
{
	char line[LINE_MAX_SIZE];
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	ssize_t written;

	if (fd < 0)
		return;
	snprintf(line, sizeof(line), "<%d>kiln-init: %s", level, text);
	written = write(fd, line, strlen(line));
	(void)written; /* nobody could be told that this failed */
	close(fd);
}

void report(const char *fmt, ...)
{
	char text[LINE_MAX_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	write_log(LEVEL_INFO, text);
}

void die(const char *fmt, ...)
{
	char text[LINE_MAX_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	write_log(LEVEL_CRITICAL, text);
	dprintf(STDERR_FILENO, "kiln-init: %s\n", text);
	/* The panic does not wait for what the console has still to print. */
	tcdrain(STDERR_FILENO);
	_exit(1);
}
