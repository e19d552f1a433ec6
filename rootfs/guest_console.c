/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_console.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../factory/base/log.h"

#define PROGRESS "kiln-progress "
#define KVM_FAILED "KVM internal error"

static bool parse_number(const char **text, uint64_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	errno = 0;
	*ret = strtoull(*text, &end, 10);
	if (errno != 0 || *end != ' ')
		return false;
	*text = end + 1;
	return true;
}

bool guest_progress_parse(const char *line, struct guest_progress *ret)
{
	struct guest_progress p = { 0 };
	size_t size;

	if (strncmp(line, PROGRESS, strlen(PROGRESS)) != 0)
		return false;
	line += strlen(PROGRESS);
	if (!parse_number(&line, &p.done) || !parse_number(&line, &p.total))
		return false;
	size = strcspn(line, "\r\n");
	if (size == 0 || size >= sizeof(p.unit))
		return false;
	memcpy(p.unit, line, size);
	*ret = p;
	return true;
}

static void end_line(struct guest_console *c)
{
	struct guest_progress p;

	c->line[c->len] = '\0';
	c->len = 0;
	if (guest_progress_parse(c->line, &p))
		log_step_update(p.done, p.total, p.unit);
	if (strncmp(c->line, KVM_FAILED, strlen(KVM_FAILED)) == 0)
		c->kvm_failed = true;
}

static void keep_tail(struct guest_console *c, const char *text, size_t size)
{
	size_t skip = size > sizeof(c->tail) ? size - sizeof(c->tail) : 0;
	size_t room, drop;

	text += skip;
	size -= skip;
	room = sizeof(c->tail) - c->tail_len;
	drop = size > room ? size - room : 0;
	memmove(c->tail, c->tail + drop, c->tail_len - drop);
	c->tail_len -= drop;
	memcpy(c->tail + c->tail_len, text, size);
	c->tail_len += size;
}

void guest_console_add(struct guest_console *c, const char *text, size_t size)
{
	log_foreign("appliance", text, size);
	keep_tail(c, text, size);
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n')
			end_line(c);
		else if (c->len < sizeof(c->line) - 1)
			c->line[c->len++] = text[i];
	}
}

/* ---------------------------------------------------------------- last words */

static bool is_blank(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7f;
}

/* Where to begin so that no more than `room` bytes follow: at a line if one begins there. */
static const char *last_part(const char *text, size_t len, size_t room)
{
	const char *rest, *newline;

	if (len <= room)
		return text;
	rest = text + len - room;
	newline = strchr(rest, '\n');
	return newline && newline[1] ? newline + 1 : rest;
}

void guest_last_words(const char *text, char *ret, size_t size)
{
	size_t len = strlen(text), n = 0;
	bool blank = false, line = false;

	while (len > 0 && is_blank(text[len - 1]))
		len--;
	/* Every newline becomes two characters. */
	text = last_part(text, len, size / 2);
	for (; *text && n + 4 < size; text++) {
		line = line || *text == '\n';
		blank = blank || is_blank(*text);
		if (is_blank(*text))
			continue;
		if (n > 0 && line)
			ret[n++] = ';';
		if (n > 0 && blank)
			ret[n++] = ' ';
		ret[n++] = *text;
		blank = line = false;
	}
	ret[n] = '\0';
}

void guest_console_last_words(const struct guest_console *c, char *ret, size_t size)
{
	char text[sizeof(c->tail) + 1];
	size_t n = 0;

	/* A NUL in it, which firmware may send, would end the text. */
	for (size_t i = 0; i < c->tail_len; i++)
		if (c->tail[i])
			text[n++] = c->tail[i];
	text[n] = '\0';
	guest_last_words(text, ret, size);
}
