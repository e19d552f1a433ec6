/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_VM_TEST_CONSOLE_H
#define KILN_VM_TEST_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

#include "../factory/base/buf.h"

/*
 * The last lines of a serial console, as plain text: terminal control sequences and control
 * characters are dropped, very long lines cut. Pure; there is no I/O here.
 */

#define CONSOLE_LINES 16
#define CONSOLE_LINE_MAX 200

struct console {
	char lines[CONSOLE_LINES][CONSOLE_LINE_MAX + 1];	/* a ring; the one at `next` is being written */
	unsigned int next;
	size_t column;
	enum { CONSOLE_TEXT, CONSOLE_ESCAPE, CONSOLE_SEQUENCE } state;
	/* The first line that says the machine will never come up: a kernel panic, or firmware that
	 * found nothing to boot. "" while there is none. */
	char fatal[CONSOLE_LINE_MAX + 1];
	/* The first line by which firmware says that it does not trust what it was to start. */
	char refused[CONSOLE_LINE_MAX + 1];
};
#define CONSOLE_INIT { .next = 0 }

void console_feed(struct console *c, const void *data, size_t size);
/* The last lines that fit in `max` characters, oldest first, one a line. Blank lines are left out. */
int console_tail(const struct console *c, size_t max, struct buf *ret);

#endif
