/* SPDX-License-Identifier: Apache-2.0 */
#include "tag.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../factory/base/arguments.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"

void tags_free(struct tags *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->items[i].key);
		free(t->items[i].value);
	}
	t->count = 0;
}

static bool has(const struct tags *t, const char *key)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->items[i].key, key) == 0)
			return true;
	return false;
}

static void add(struct tags *t, const char *key, const char *value)
{
	t->items[t->count++] = (struct tag){ .key = string_copy(key), .value = string_copy(value) };
}

static int add_given(struct tags *t, const char *text, struct error *err)
{
	CLEANUP_FREE char *key = string_copy(text);
	char *value = strchr(key, '=');

	if (!value || value == key)
		return error_input(err, "--tag %s: a tag is written KEY=VALUE", text);
	*value++ = '\0';
	if (strlen(key) > TAG_KEY_MAX || strlen(value) > TAG_VALUE_MAX)
		return error_input(err, "--tag %s: a key has up to %u bytes, and a value up to %u", text, TAG_KEY_MAX,
				   TAG_VALUE_MAX);
	if (strncmp(key, "aws:", 4) == 0 || strncmp(key, "kiln:", 5) == 0)
		return error_input(err, "--tag %s: keys that begin with \"aws:\" and \"kiln:\" are taken", text);
	if (has(t, key))
		return error_input(err, "--tag %s: the key is there twice", text);
	if (t->count == TAGS_MAX)
		return error_input(err, "--tag %s: a resource has up to %u tags, Kiln's own included", text, TAGS_MAX);
	add(t, key, value);
	return 0;
}

/* A Name that was given takes the place of ours. */
static void add_name(struct tags *t, const char *name)
{
	if (!has(t, TAG_NAME) && t->count < TAGS_MAX)
		add(t, TAG_NAME, name);
}

int tags_make(const char *name, const char *image, const char *disk, const char *proven,
	      const struct argument_list *given, struct tags *ret, struct error *err)
{
	CLEANUP_TAGS struct tags t = TAGS_INIT;
	int r = 0;

	add(&t, TAG_IMAGE, image);
	add(&t, TAG_DISK, disk);
	add(&t, TAG_PROVEN, proven);
	for (unsigned int i = 0; r == 0 && i < given->count; i++)
		r = add_given(&t, given->items[i], err);
	if (r < 0)
		return r;
	add_name(&t, name);
	*ret = t;
	t.count = 0;
	return 0;
}
