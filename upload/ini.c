/* SPDX-License-Identifier: Apache-2.0 */
#include "ini.h"

#include <stdlib.h>
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/secret.h"
#include "../factory/model/memory.h"

struct entry {
	size_t section;
	char *key, *value;
};

struct ini {
	char **sections;
	size_t section_count;
	struct entry *entries;
	size_t count;
};

struct parser {
	struct ini *ini;
	const char *file;
	unsigned int line;
	bool in_section, in_key;	/* there is one to add to: the last */
	size_t section;
	size_t indent;			/* of the last key's line */
	char *parent;			/* the last key, when what is indented below is its own */
};

/* A part of the text. */
struct part {
	const char *data;
	size_t size;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static struct part trim(struct part p)
{
	while (p.size && is_blank(p.data[0])) {
		p.data++;
		p.size--;
	}
	while (p.size && is_blank(p.data[p.size - 1]))
		p.size--;
	return p;
}

static char *copy(struct part p)
{
	return string_printf("%.*s", (int)p.size, p.data);
}

static int complain(const struct parser *p, const char *what, struct error *err)
{
	return error_input(err, "%s:%u: %s", p->file, p->line, what);
}

/* ---------------------------------------------------------------- sections */

/* "profile  "a b"" as "profile a b": words as a shell parts them, put together with one blank each. */
static bool unquote(char *name)
{
	char *out = name, quote = '\0';

	for (const char *c = name; *c; c++) {
		if (quote ? *c == quote : *c == '"' || *c == '\'')
			quote = quote ? '\0' : *c;
		else if (quote || !is_blank(*c))
			*out++ = *c;
		else if (out > name && out[-1] != ' ')
			*out++ = ' ';
	}
	*out = '\0';
	return !quote && *name;
}

static bool find_section(const struct ini *ini, const char *name, size_t *ret)
{
	for (size_t i = 0; i < ini->section_count; i++) {
		if (strcmp(ini->sections[i], name) == 0) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static int take_section(struct parser *p, struct part line, struct error *err)
{
	const char *end = memchr(line.data, ']', line.size);
	CLEANUP_FREE char *name = NULL;
	struct part rest;
	char **slot;

	if (!end)
		return complain(p, "a section's name has no \"]\" at its end", err);
	rest = trim((struct part) { end + 1, line.size - (size_t)(end + 1 - line.data) });
	if (rest.size && rest.data[0] != '#' && rest.data[0] != ';')
		return complain(p, "something follows the section's name", err);
	name = copy(trim((struct part) { line.data + 1, (size_t)(end - line.data - 1) }));
	if (!unquote(name))
		return complain(p, "a section's name is empty, or a quote in it is not closed", err);
	p->in_section = true;
	p->in_key = false;
	if (find_section(p->ini, name, &p->section))
		return 0;
	p->section = p->ini->section_count;
	slot = memory_append(&p->ini->sections, p->ini->section_count, sizeof(*slot));
	*slot = TAKE_PTR(name);
	p->ini->section_count++;
	return 0;
}

/* ---------------------------------------------------------------- keys */

static void lower(char *text)
{
	for (; *text; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

static void add_entry(struct parser *p, char *key, struct part value)
{
	struct entry *e = memory_append(&p->ini->entries, p->ini->count, sizeof(*e));

	e->section = p->section;
	e->key = key;
	e->value = copy(value);
	p->ini->count++;
}

/* Makes "key", or "parent.key", of "key = value". */
static int take_key(struct parser *p, struct part line, const char *parent, struct part *ret_value, char **ret_key,
		    struct error *err)
{
	const char *equals = memchr(line.data, '=', line.size);
	struct part name;

	if (!equals)
		return complain(p, "this line is neither \"[section]\" nor \"key = value\"", err);
	name = trim((struct part) { line.data, (size_t)(equals - line.data) });
	if (!name.size)
		return complain(p, "a value has no key before it", err);
	*ret_value = trim((struct part) { equals + 1, line.size - (size_t)(equals + 1 - line.data) });
	*ret_key = string_printf("%s%s%.*s", parent ? parent : "", parent ? "." : "", (int)name.size, name.data);
	lower(*ret_key);
	return 0;
}

static int take_entry(struct parser *p, struct part line, size_t indent, struct error *err)
{
	struct part value;
	char *key;
	int r;

	if (!p->in_section)
		return complain(p, "a value stands before the first section", err);
	r = take_key(p, line, NULL, &value, &key, err);
	if (r < 0)
		return r;
	free(p->parent);
	p->parent = value.size ? NULL : string_copy(key);
	p->indent = indent;
	p->in_key = true;
	add_entry(p, key, value);
	return 0;
}

/* A line that is indented deeper than the key above it: a value of its own below that, or more of that one's. */
static int take_indented(struct parser *p, struct part line, struct error *err)
{
	struct entry *last = &p->ini->entries[p->ini->count - 1];
	struct part value;
	char *key, *longer;
	int r;

	if (p->parent) {
		r = take_key(p, line, p->parent, &value, &key, err);
		if (r == 0)
			add_entry(p, key, value);
		return r;
	}
	longer = string_printf("%s\n%.*s", last->value, (int)line.size, line.data);
	secret_free(last->value);
	last->value = longer;
	return 0;
}

/* ---------------------------------------------------------------- lines */

static int take_line(struct parser *p, struct part line, struct error *err)
{
	struct part rest = trim(line);
	size_t indent = (size_t)(rest.data - line.data);

	if (!rest.size || rest.data[0] == '#' || rest.data[0] == ';')
		return 0;
	if (rest.data[0] == '[')
		return take_section(p, rest, err);
	if (p->in_key && indent > p->indent)
		return take_indented(p, rest, err);
	return take_entry(p, rest, indent, err);
}

static int take_lines(struct parser *p, struct part text, struct error *err)
{
	int r = 0;

	while (r == 0 && text.size) {
		const char *end = memchr(text.data, '\n', text.size);
		size_t size = end ? (size_t)(end - text.data) : text.size;
		size_t used = end ? size + 1 : size;

		p->line++;
		r = take_line(p, (struct part) { text.data, size }, err);
		text.data += used;
		text.size -= used;
	}
	return r;
}

int ini_parse(const char *text, size_t size, const char *file, struct ini **ret, struct error *err)
{
	static const char mark[] = "\xef\xbb\xbf";
	CLEANUP_INI struct ini *ini = memory_new(sizeof(*ini));
	struct parser p = { .ini = ini, .file = file };
	struct part all = { text, size };
	int r;

	if (size > INI_SIZE_MAX)
		return error_input(err, "%s: larger than %u bytes", file, INI_SIZE_MAX);
	if (size && memchr(text, '\0', size))
		return error_input(err, "%s: is no text: there is a NUL byte in it", file);
	if (size >= sizeof(mark) - 1 && memcmp(text, mark, sizeof(mark) - 1) == 0)
		all = (struct part) { text + sizeof(mark) - 1, size - (sizeof(mark) - 1) };
	r = take_lines(&p, all, err);
	free(p.parent);
	if (r == 0)
		*ret = TAKE_PTR(ini);
	return r;
}

/* ---------------------------------------------------------------- questions */

bool ini_has(const struct ini *ini, const char *section)
{
	size_t index;

	return find_section(ini, section, &index);
}

const char *ini_get(const struct ini *ini, const char *section, const char *key)
{
	size_t index;

	if (!find_section(ini, section, &index))
		return NULL;
	for (size_t i = ini->count; i-- > 0;)
		if (ini->entries[i].section == index && strcmp(ini->entries[i].key, key) == 0)
			return ini->entries[i].value;
	return NULL;
}

void ini_free(struct ini *ini)
{
	if (!ini)
		return;
	for (size_t i = 0; i < ini->section_count; i++)
		free(ini->sections[i]);
	for (size_t i = 0; i < ini->count; i++) {
		free(ini->entries[i].key);
		secret_free(ini->entries[i].value);
	}
	free(ini->sections);
	free(ini->entries);
	free(ini);
}

void ini_freep(struct ini **ini)
{
	ini_free(*ini);
	*ini = NULL;
}
