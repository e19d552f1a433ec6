/* SPDX-License-Identifier: Apache-2.0 */
#include "tags.h"

#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/io.h"

#define KEY_MAX 128
#define VALUE_MAX 256

bool tags_sound(struct call *c, const char *key, const char *value)
{
	if (!key || !*key || strlen(key) > KEY_MAX || !value || strlen(value) > VALUE_MAX)
		call_error(c, 400, "InvalidParameterValue", NULL, "A tag needs a key of at most %u and a value of at most %u "
								  "characters", KEY_MAX, VALUE_MAX);
	else if (strncmp(key, "aws:", 4) == 0)
		call_error(c, 400, "InvalidParameterValue", NULL, "Tag keys starting with 'aws:' are reserved");
	else
		return true;
	return false;
}

void tags_set(struct object *o, const char *key, const char *value)
{
	CLEANUP_FREE char *field = string_printf("tag:%s", key);

	object_set(o, field, value);
}

static bool is_among(const char *text, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(text, *list) == 0)
			return true;
	return false;
}

static const char *specified(const struct call *c, unsigned int i, unsigned int n, const char *what)
{
	return call_parameterf(c, "TagSpecification.%u.Tag.%u.%s", i, n, what);
}

bool tags_check(struct call *c, const char *const *types)
{
	for (unsigned int i = 1;; i++) {
		const char *type = call_parameterf(c, "TagSpecification.%u.ResourceType", i), *key;

		if (!type)
			return true;
		if (!is_among(type, types)) {
			call_error(c, 400, "InvalidParameterValue", NULL, "'%s' is not a valid taggable resource type for this "
									  "operation.", type);
			return false;
		}
		for (unsigned int n = 1; (key = specified(c, i, n, "Key")); n++)
			if (!tags_sound(c, key, specified(c, i, n, "Value")))
				return false;
	}
}

void tags_take(const struct call *c, const char *type, struct object *o)
{
	const char *of, *key;

	for (unsigned int i = 1; (of = call_parameterf(c, "TagSpecification.%u.ResourceType", i)); i++)
		for (unsigned int n = 1; strcmp(of, type) == 0 && (key = specified(c, i, n, "Key")); n++)
			tags_set(o, key, specified(c, i, n, "Value"));
}

void tags_put(struct buf *b, const struct object *o)
{
	bool any = false;

	for (size_t i = 0; i < o->fields.count; i++) {
		const struct pair *field = &o->fields.items[i];

		if (strncmp(field->name, "tag:", 4) != 0)
			continue;
		if (!any)
			markup_open(b, "tagSet");
		any = true;
		markup_open(b, "item");
		markup_leaf(b, "key", field->name + 4);
		markup_leaf(b, "value", field->value);
		markup_close(b, "item");
	}
	if (any)
		markup_close(b, "tagSet");
}
