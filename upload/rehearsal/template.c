/* SPDX-License-Identifier: Apache-2.0 */
#include "template.h"

#include <stdlib.h>
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/model/json.h"

#define NAME_MAX_LENGTH 255
#define ALPHANUMERIC "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

void template_free(struct template *t)
{
	pairs_free(&t->resources);
	pairs_free(&t->parameters);
	pairs_free(&t->outputs);
}

static void add_key(const char *key, void *arg)
{
	pairs_add(arg, key, "");
}

/* A section's keys, with empty values; nothing when there is no such section. */
static int read_keys(const struct json_node *root, const char *section, struct json_node *ret, struct pairs *keys,
		     struct error *err)
{
	int r = json_has(root, section) ? json_get_object(root, section, ret, err) : 0;

	if (r == 0 && json_has(root, section))
		json_each_key(ret, add_key, keys);
	return r;
}

static bool is_named(const struct json_node *properties)
{
	static const char *const names[] = { "RoleName", "UserName", "GroupName", "ManagedPolicyName",
					     "InstanceProfileName" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (json_has(properties, names[i]))
			return true;
	return false;
}

static int read_resource(const struct json_node *section, struct pair *resource, struct template *t, struct error *err)
{
	CLEANUP_FREE char *type = NULL;
	struct json_node node, properties;
	int r;

	if (resource->name[strspn(resource->name, ALPHANUMERIC)])
		return json_complain(section, resource->name, err, "must be alphanumeric");
	r = json_get_object(section, resource->name, &node, err);
	if (r == 0)
		r = json_get_string(&node, "Type", &type, err);
	if (r == 0 && json_has(&node, "Properties"))
		r = json_get_object(&node, "Properties", &properties, err);
	if (r < 0)
		return r;
	if (!strstr(type, "::"))
		return json_complain(&node, "Type", err, "is no resource type: %s", type);
	if (strncmp(type, "AWS::IAM::", 10) == 0) {
		t->makes_roles = true;
		t->names_roles |= json_has(&node, "Properties") && is_named(&properties);
	}
	free(resource->value);
	resource->value = TAKE_PTR(type);
	return 0;
}

static int read_resources(const struct json_node *root, struct template *t, struct error *err)
{
	struct json_node section;
	int r = read_keys(root, "Resources", &section, &t->resources, err);

	if (r == 0 && t->resources.count == 0)
		return json_complain(root, "Resources", err, "must have at least one resource");
	for (size_t i = 0; r == 0 && i < t->resources.count; i++)
		r = read_resource(&section, &t->resources.items[i], t, err);
	return r;
}

static int read_parameters(const struct json_node *root, struct template *t, struct error *err)
{
	struct json_node section, node;
	CLEANUP_PAIRS struct pairs keys = PAIRS_INIT;
	int r = read_keys(root, "Parameters", &section, &keys, err);

	for (size_t i = 0; r == 0 && i < keys.count; i++) {
		r = json_get_object(&section, keys.items[i].name, &node, err);
		if (r == 0)
			pairs_add(&t->parameters, keys.items[i].name, json_has(&node, "Default") ? "optional" : "required");
	}
	return r;
}

/* {"Value": {"Ref": X}}; what else a value may be is not looked into. */
static int read_output(const struct json_node *section, const char *name, struct template *t, struct error *err)
{
	struct error ignored = ERROR_INIT;
	CLEANUP_FREE char *of = NULL;
	struct json_node node, value;
	int r = json_get_object(section, name, &node, err);

	if (r < 0)
		return r;
	if (!json_has(&node, "Value"))
		return json_complain(&node, "Value", err, "is missing");
	if (json_get_object(&node, "Value", &value, &ignored) == 0)
		(void)json_get_string(&value, "Ref", &of, &ignored);
	pairs_add(&t->outputs, name, of ? of : "");
	return 0;
}

static int read_outputs(const struct json_node *root, struct template *t, struct error *err)
{
	CLEANUP_PAIRS struct pairs keys = PAIRS_INIT;
	struct json_node section;
	int r = read_keys(root, "Outputs", &section, &keys, err);

	for (size_t i = 0; r == 0 && i < keys.count; i++)
		r = read_output(&section, keys.items[i].name, t, err);
	return r;
}

/* ---------------------------------------------------------------- references */

static bool is_defined(const struct template *t, const char *name)
{
	return strncmp(name, "AWS::", 5) == 0 || pairs_get(&t->resources, name) || pairs_get(&t->parameters, name);
}

/*
 * The name behind `key` at *at: {"Ref": "NAME"} or {"Fn::GetAtt": ["NAME", ...]}. A key cannot be mistaken: within a
 * string its quotes would have backslashes before them.
 */
static bool next_reference(const char **at, const char *key, char ret[static NAME_MAX_LENGTH + 1])
{
	while ((*at = strstr(*at, key))) {
		size_t len;

		*at += strlen(key);
		*at += strspn(*at, " \t\r\n:[");
		if (**at != '"')
			continue;
		len = strcspn(*at + 1, "\"");
		if (len > NAME_MAX_LENGTH)
			continue;
		memcpy(ret, *at + 1, len);
		ret[len] = '\0';
		return true;
	}
	return false;
}

static int check_references(const struct template *t, const char *text, struct error *err)
{
	static const char *const keys[] = { "\"Ref\"", "\"Fn::GetAtt\"" };
	char name[NAME_MAX_LENGTH + 1];

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *at = text;

		while (next_reference(&at, keys[i], name))
			if (!is_defined(t, name))
				return error_input(err, "Template format error: Unresolved resource dependencies [%s]", name);
	}
	return 0;
}

int template_parse(const char *text, size_t size, struct template *ret, struct error *err)
{
	CLEANUP_JSON struct json_node root = { .value = NULL };
	CLEANUP_FREE char *copy = NULL;
	int r = json_open(text, size, "template", &root, err);

	if (r == 0)
		r = read_resources(&root, ret, err);
	if (r == 0)
		r = read_parameters(&root, ret, err);
	if (r == 0)
		r = read_outputs(&root, ret, err);
	if (r < 0)
		return r;
	copy = string_printf("%.*s", (int)size, text);
	return check_references(ret, copy, err);
}
