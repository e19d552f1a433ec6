/* SPDX-License-Identifier: Apache-2.0 */
#include "unit_file.h"

#include <stdlib.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/model/memory.h"

#define BLANKS " \t\r\n"

/* A NUL byte ends a line, as it would end a string. */
static char *copy_trimmed(const char *data, size_t size)
{
	size = strnlen(data, size);
	while (size > 0 && strchr(BLANKS, *data)) {
		data++;
		size--;
	}
	while (size > 0 && strchr(BLANKS, data[size - 1]))
		size--;
	return string_printf("%.*s", (int)size, data);
}

static bool is_comment(struct text line)
{
	while (line.size > 0 && (*line.data == ' ' || *line.data == '\t')) {
		line.data++;
		line.size--;
	}
	return line.size == 0 || *line.data == '#' || *line.data == ';';
}

static bool is_continued(struct text line)
{
	return line.size > 0 && line.data[line.size - 1] == '\\';
}

/* A whole logical line; comments within it are passed over. */
static void take_line(struct text line, struct text *rest, unsigned int *number, struct buf *ret)
{
	bool more = is_continued(line);
	int r = buf_add(ret, line.data, line.size - more);

	while (r == 0 && more && text_line(rest, &line)) {
		(*number)++;
		if (line.size > 0 && (*line.data == '#' || *line.data == ';'))
			continue;
		more = is_continued(line);
		r = buf_add_string(ret, " ");
		if (r == 0)
			r = buf_add(ret, line.data, line.size - more);
	}
	if (r < 0)
		error_no_memory();
}

static void take_entry(struct unit_file *file, const char *section, const char *line, const char *path,
		       unsigned int number)
{
	const char *sign = strchr(line, '=');
	struct unit_entry *e;

	if (!sign)
		return;
	e = memory_append(&file->entries, file->count++, sizeof(*e));
	e->section = string_copy(section);
	e->key = copy_trimmed(line, (size_t)(sign - line));
	e->value = copy_trimmed(sign + 1, strlen(sign + 1));
	e->path = path;
	e->line = number;
}

void unit_file_add(struct unit_file *file, struct text text, const char *path)
{
	char *section = string_copy("");
	unsigned int number = 0;
	struct text line;

	while (text_line(&text, &line)) {
		struct buf whole = BUF_INIT(SIZE_MAX);
		const unsigned int first = ++number;
		char *trimmed;

		if (is_comment(line))
			continue;
		take_line(line, &text, &number, &whole);
		trimmed = copy_trimmed(buf_text(&whole), whole.len);
		buf_free(&whole);
		if (trimmed[0] == '[' && trimmed[strlen(trimmed) - 1] == ']') {
			free(section);
			section = string_printf("%.*s", (int)strlen(trimmed) - 2, trimmed + 1);
		} else {
			take_entry(file, section, trimmed, path, first);
		}
		free(trimmed);
	}
	free(section);
}

void unit_file_clear(struct unit_file *file)
{
	for (size_t i = 0; i < file->count; i++) {
		free(file->entries[i].section);
		free(file->entries[i].key);
		free(file->entries[i].value);
	}
	free(file->entries);
	*file = (struct unit_file) { .entries = NULL };
}

static bool is_setting(const struct unit_entry *e, const char *section, const char *key)
{
	return strcmp(e->key, key) == 0 && (!section || strcmp(e->section, section) == 0);
}

const struct unit_entry *unit_file_next(const struct unit_file *file, const char *section, const char *key,
					size_t *position)
{
	/* Everything before the last empty one is taken back. */
	for (size_t i = file->count; i > *position; i--)
		if (is_setting(&file->entries[i - 1], section, key) && !file->entries[i - 1].value[0])
			*position = i;
	while (*position < file->count) {
		const struct unit_entry *e = &file->entries[(*position)++];

		if (is_setting(e, section, key))
			return e;
	}
	return NULL;
}

const char *unit_file_value(const struct unit_file *file, const char *section, const char *key)
{
	for (size_t i = file->count; i > 0; i--)
		if (is_setting(&file->entries[i - 1], section, key))
			return file->entries[i - 1].value;
	return "";
}

bool unit_word_next(const char **rest, struct text *ret)
{
	static const char ends[] = BLANKS "'\";";
	const char *start = *rest + strspn(*rest, ends);

	*ret = (struct text) { start, strcspn(start, ends) };
	*rest = start + ret->size;
	return ret->size > 0;
}
