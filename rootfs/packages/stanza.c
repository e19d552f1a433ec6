/* SPDX-License-Identifier: Apache-2.0 */
#include "stanza.h"

#include <string.h>
#include <strings.h>

#include "../../factory/base/io.h"

struct text text_of(const char *string)
{
	return (struct text){ .data = string, .size = strlen(string) };
}

bool text_equal(struct text a, const char *b)
{
	return a.size == strlen(b) && memcmp(a.data, b, a.size) == 0;
}

char *text_copy(struct text t)
{
	return string_printf("%.*s", (int)t.size, t.data);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct text trim(struct text t)
{
	while (t.size > 0 && is_blank(t.data[0])) {
		t.data++;
		t.size--;
	}
	while (t.size > 0 && is_blank(t.data[t.size - 1]))
		t.size--;
	return t;
}

bool text_word(struct text *rest, struct text *ret)
{
	struct text t = trim(*rest);
	size_t size = 0;

	if (t.size == 0)
		return false;
	while (size < t.size && !is_blank(t.data[size]))
		size++;
	*ret = (struct text){ t.data, size };
	*rest = (struct text){ t.data + size, t.size - size };
	return true;
}

/* The line with its newline, where it has one. */
static bool next_line(struct text *rest, struct text *ret)
{
	const char *end;
	size_t size;

	if (rest->size == 0)
		return false;
	end = memchr(rest->data, '\n', rest->size);
	size = end ? (size_t)(end - rest->data) + 1 : rest->size;
	*ret = (struct text){ rest->data, size };
	rest->data += size;
	rest->size -= size;
	return true;
}

bool text_line(struct text *rest, struct text *ret)
{
	if (!next_line(rest, ret))
		return false;
	if (ret->data[ret->size - 1] == '\n')
		ret->size--;
	return true;
}

bool stanza_next(struct text *rest, struct text *ret)
{
	struct text stanza = { NULL, 0 };
	struct text line;

	while (next_line(rest, &line)) {
		bool blank = trim(line).size == 0;

		if (blank && stanza.data)
			break;
		if (blank)
			continue;
		if (!stanza.data)
			stanza.data = line.data;
		stanza.size = (size_t)(line.data + line.size - stanza.data);
	}
	if (!stanza.data)
		return false;
	*ret = stanza;
	return true;
}

static bool line_has_field(struct text line, const char *name, size_t size)
{
	return line.size > size && line.data[size] == ':' &&
	       strncasecmp(line.data, name, size) == 0;
}

bool stanza_field(struct text stanza, const char *name, struct text *ret)
{
	size_t size = strlen(name);
	struct text value = { NULL, 0 };
	struct text line;

	while (next_line(&stanza, &line)) {
		bool continued = line.data[0] == ' ' || line.data[0] == '\t';

		if (value.data && !continued)
			break;
		if (value.data)
			value.size = (size_t)(line.data + line.size - value.data);
		else if (!continued && line_has_field(line, name, size))
			value = (struct text){ line.data + size + 1, line.size - size - 1 };
	}
	if (!value.data)
		return false;
	*ret = trim(value);
	return true;
}
