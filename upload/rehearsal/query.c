/* SPDX-License-Identifier: Apache-2.0 */
#include "query.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/hex.h"
#include "../../factory/base/io.h"
#include "../../factory/model/memory.h"

/* ---------------------------------------------------------------- pairs */

/* Takes over both. */
static void append(struct pairs *p, char *name, char *value)
{
	struct pair *item = memory_append(&p->items, p->count, sizeof(*item));

	item->name = name;
	item->value = value;
	p->count++;
}

void pairs_add(struct pairs *p, const char *name, const char *value)
{
	append(p, string_copy(name), string_copy(value));
}

static struct pair *find(const struct pairs *p, const char *name)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->items[i].name, name) == 0)
			return &p->items[i];
	return NULL;
}

const char *pairs_get(const struct pairs *p, const char *name)
{
	const struct pair *item = find(p, name);

	return item ? item->value : NULL;
}

void pairs_set(struct pairs *p, const char *name, const char *value)
{
	struct pair *item = find(p, name);
	char *copy;

	if (!item) {
		pairs_add(p, name, value);
		return;
	}
	copy = string_copy(value);
	free(item->value);
	item->value = copy;
}

void pairs_remove(struct pairs *p, const char *name, const char *value)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->count; i++) {
		struct pair *item = &p->items[i];

		if (strcmp(item->name, name) == 0 && (!value || strcmp(item->value, value) == 0)) {
			free(item->name);
			free(item->value);
		} else {
			p->items[kept++] = *item;
		}
	}
	p->count = kept;
}

void pairs_free(struct pairs *p)
{
	for (size_t i = 0; i < p->count; i++) {
		free(p->items[i].name);
		free(p->items[i].value);
	}
	free(p->items);
	*p = (struct pairs)PAIRS_INIT;
}

/* ---------------------------------------------------------------- percent-encoding */

/* A zero byte would end the text early, so it is refused like a wrong digit. */
static int decode_byte(const char *text, size_t size, char *ret)
{
	char digits[3] = "";
	uint8_t byte;

	if (size < 3)
		return -EINVAL;
	memcpy(digits, text + 1, 2);
	if (hex_decode(digits, &byte, 1) < 0 || byte == 0)
		return -EINVAL;
	*ret = (char)byte;
	return 0;
}

int query_decode(const char *text, size_t size, bool form, char **ret)
{
	CLEANUP_FREE char *out = memory_new(size + 1);
	size_t len = 0;

	for (size_t i = 0; i < size; i++, len++) {
		out[len] = form && text[i] == '+' ? ' ' : text[i];
		if (!text[i])
			return -EINVAL;
		if (text[i] != '%')
			continue;
		if (decode_byte(text + i, size - i, &out[len]) < 0)
			return -EINVAL;
		i += 2;
	}
	*ret = TAKE_PTR(out);
	return 0;
}

static int parse_part(const char *text, size_t size, bool form, struct pairs *ret)
{
	const char *equals = memchr(text, '=', size);
	size_t name_size = equals ? (size_t)(equals - text) : size;
	CLEANUP_FREE char *name = NULL, *value = NULL;
	int r = query_decode(text, name_size, form, &name);

	if (r == 0)
		r = query_decode(equals ? equals + 1 : "", equals ? size - name_size - 1 : 0, form, &value);
	if (r == 0)
		append(ret, TAKE_PTR(name), TAKE_PTR(value));
	return r;
}

int query_parse(const char *text, size_t size, bool form, struct pairs *ret, struct error *err)
{
	const char *end = text + size;

	while (text < end) {
		const char *next = memchr(text, '&', (size_t)(end - text));
		const char *stop = next ? next : end;

		if (ret->count >= PAIRS_MAX)
			return error_input(err, "more than %u parameters", PAIRS_MAX);
		if (stop > text && parse_part(text, (size_t)(stop - text), form, ret) < 0)
			return error_input(err, "a parameter that is not percent-encoded: %.*s",
					   (int)(stop - text < 80 ? stop - text : 80), text);
		text = next ? next + 1 : end;
	}
	return 0;
}

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~", c));
}

void query_encode(const char *text, bool keep_slash, struct buf *ret)
{
	for (; *text; text++) {
		int r = is_unreserved(*text) || (keep_slash && *text == '/') ?
				buf_add(ret, text, 1) :
				buf_printf(ret, "%%%02X", (uint8_t)*text);

		if (r < 0)
			error_no_memory();
	}
}
