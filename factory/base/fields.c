/* SPDX-License-Identifier: Apache-2.0 */
#include "fields.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "error.h"
#include "hex.h"

static void add(struct buf *text, const char *data, size_t size)
{
	if (buf_add(text, data, size) < 0)
		error_no_memory();
}

static bool is_plain(char c)
{
	return (uint8_t)c >= 0x20 && c != 0x7f && c != '\\';
}

static void add_escaped(struct buf *text, const char *field)
{
	while (*field) {
		size_t plain = 0;
		char code[5];

		while (field[plain] && is_plain(field[plain]))
			plain++;
		add(text, field, plain);
		field += plain;
		if (!*field)
			break;
		if (*field == '\\')
			snprintf(code, sizeof(code), "\\\\");
		else
			snprintf(code, sizeof(code), "\\x%02x", (uint8_t)*field);
		add(text, code, strlen(code));
		field++;
	}
}

void fields_add_list(struct buf *text, const char *const *fields)
{
	for (size_t i = 0; fields[i]; i++) {
		if (i)
			add(text, "\t", 1);
		add_escaped(text, fields[i]);
	}
	add(text, "\n", 1);
}

/* The byte that an escape at `text` stands for, and how long the escape is; false for none. */
static bool read_escape(const char *text, char *ret, size_t *ret_size)
{
	char digits[3] = "";
	uint8_t byte;

	if (text[1] == '\\') {
		*ret = '\\';
		*ret_size = 2;
		return true;
	}
	if (text[1] != 'x')
		return false;
	memcpy(digits, text + 2, strnlen(text + 2, 2));
	if (hex_decode(digits, &byte, 1) < 0 || byte == 0)
		return false;
	*ret = (char)byte;
	*ret_size = 4;
	return true;
}

/* In place: what is written never passes what is read. */
static bool unescape(char *field)
{
	char *out = field;
	size_t size;

	for (; *field; field += size, out++) {
		*out = *field;
		size = 1;
		if (*field == '\\' && !read_escape(field, out, &size))
			return false;
	}
	*out = '\0';
	return true;
}

int fields_next(char **text, char **ret, size_t max)
{
	char *line = *text, *end = strchr(line, '\n'), *field;
	size_t count = 0;

	memset(ret, 0, max * sizeof(*ret));
	if (!end)
		return *line ? -EINVAL : 0;
	*end = '\0';
	*text = end + 1;
	while ((field = strsep(&line, "\t"))) {
		if (count == max || !unescape(field))
			return -EINVAL;
		ret[count++] = field;
	}
	return (int)count;
}
