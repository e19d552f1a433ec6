/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

#include <string.h>

#include "../factory/base/cleanup.h"

static const char *const fatal_texts[] = {
	"Kernel panic - not syncing",
	"BdsDxe: No bootable option or device was found",	/* EDK2 */
};

/* EDK2's words for EFI_ACCESS_DENIED and EFI_SECURITY_VIOLATION, in a line of the boot manager's. */
static bool is_refusal(const char *line)
{
	return strstr(line, "BdsDxe: ") && (strstr(line, "Access Denied") || strstr(line, "Security Violation"));
}

static void line_finish(struct console *c)
{
	const char *line = c->lines[c->next];

	for (size_t i = 0; !c->fatal[0] && i < ARRAY_SIZE(fatal_texts); i++) {
		const char *found = strstr(line, fatal_texts[i]);

		if (found)
			memcpy(c->fatal, found, strlen(found) + 1);
	}
	if (!c->refused[0] && is_refusal(line))
		memcpy(c->refused, line, strlen(line) + 1);
	/* Firmware clears the screen often: its blank lines would push the telling ones out. */
	if (c->column)
		c->next = (c->next + 1) % CONSOLE_LINES;
	c->lines[c->next][0] = '\0';
	c->column = 0;
}

static void text_feed(struct console *c, unsigned char byte)
{
	char *line = c->lines[c->next];

	if (byte == '\n') {
		line_finish(c);
		return;
	}
	if (byte == '\t')
		byte = ' ';
	/* Other bytes than ASCII's would have to be checked for being UTF-8 to go into JSON or a
	 * terminal; kernels and firmware write ASCII. */
	if (byte < ' ' || byte >= 0x7f || c->column == CONSOLE_LINE_MAX)
		return;
	if (byte == ' ' && !c->column)
		return;
	line[c->column++] = (char)byte;
	line[c->column] = '\0';
}

/* ECMA-48: ESC [ parameters final byte; or ESC and one byte. */
static void byte_feed(struct console *c, unsigned char byte)
{
	if (byte == 0x1b) {
		c->state = CONSOLE_ESCAPE;
	} else if (c->state == CONSOLE_ESCAPE) {
		c->state = byte == '[' ? CONSOLE_SEQUENCE : CONSOLE_TEXT;
	} else if (c->state == CONSOLE_SEQUENCE) {
		if (byte >= 0x40 && byte <= 0x7e)
			c->state = CONSOLE_TEXT;
		/* Firmware draws by moving the cursor: what follows is another line. */
		if (byte == 'H' || byte == 'J')
			line_finish(c);
	} else {
		text_feed(c, byte);
	}
}

void console_feed(struct console *c, const void *data, size_t size)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < size; i++)
		byte_feed(c, bytes[i]);
}

int console_tail(const struct console *c, size_t max, struct buf *ret)
{
	unsigned int first = c->next;
	size_t total = 0;
	int r;

	/* Back from the newest as far as it fits. The slot behind it is the oldest, or empty. */
	for (unsigned int back = 0; back < CONSOLE_LINES; back++) {
		unsigned int at = (c->next + CONSOLE_LINES - back) % CONSOLE_LINES;

		total += strlen(c->lines[at]) + 1;
		if (total > max)
			break;
		first = at;
	}
	for (unsigned int i = first;; i = (i + 1) % CONSOLE_LINES) {
		if (c->lines[i][0]) {
			r = buf_printf(ret, "%s%s", ret->len ? "\n" : "", c->lines[i]);
			if (r < 0)
				return r;
		}
		if (i == c->next)
			return 0;
	}
}
