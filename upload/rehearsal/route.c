/* SPDX-License-Identifier: Apache-2.0 */
#include "route.h"

#include <stdlib.h>
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "operations.h"

static const struct operation *const tables[] = {
	ebs_operations, ec2_snapshot_operations, ec2_image_operations, ec2_copy_operations, ec2_attribute_operations,
	sts_operations, cloudformation_operations, place_operations, control_operations,
};

size_t rehearsal_operations(void)
{
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct operation *o = tables[i]; o->name; o++)
			count++;
	return count;
}

size_t route_number(const struct operation *operation)
{
	size_t number = 0;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct operation *o = tables[i]; o->name; o++, number++)
			if (o == operation)
				return number;
	abort();
}

void route_free(struct call *c)
{
	for (size_t i = 0; i < SEGMENTS_MAX; i++) {
		free(c->segments[i]);
		c->segments[i] = NULL;
	}
}

static bool is_placeholder(const char *segment)
{
	return *segment >= 'A' && *segment <= 'Z';
}

/* Does the path fit the pattern? Keeps what stands for its words in capitals. */
static bool match_path(struct call *c, const char *pattern, const char *path)
{
	size_t kept = 0;

	while (*pattern == '/' && *path == '/') {
		size_t p = strcspn(++pattern, "/"), n = strcspn(++path, "/");

		if (is_placeholder(pattern)) {
			if (n == 0 || kept == SEGMENTS_MAX || query_decode(path, n, false, &c->segments[kept++]) < 0)
				return false;
		} else if (p != n || memcmp(pattern, path, n) != 0) {
			return false;
		}
		pattern += p;
		path += n;
	}
	return !*pattern && !*path;
}

const struct operation *route_by_path(struct call *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		for (const struct operation *o = tables[i]; o->name; o++) {
			if (o->path && strcmp(o->method, c->q->method) == 0 && match_path(c, o->path, c->q->path))
				return o;
			route_free(c);
		}
	}
	return NULL;
}

const struct operation *route_by_name(enum service service, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct operation *o = tables[i]; o->name; o++)
			if (!o->path && o->service == service && strcmp(o->name, name) == 0)
				return o;
	return NULL;
}
