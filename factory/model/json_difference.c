/* SPDX-License-Identifier: Apache-2.0 */
#include "json_difference.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "../base/error.h"

#define SHOWN JSON_COMPACT | JSON_ENCODE_ANY

struct walk {
	void (*each)(const struct json_difference *difference, void *arg);
	void *arg;
	struct json_difference found;	/* its path is that of the values being compared */
};

static void show(const json_t *value, char *ret, size_t size)
{
	char *text = value ? json_dumps(value, SHOWN) : NULL;

	if (value && !text)
		error_no_memory();
	/* Cut off where it is too long: this is for people. */
	(void)snprintf(ret, size, "%.*s", (int)size - 1, text ? text : "nothing");
	free(text);
}

static void report(struct walk *w, const json_t *a, const json_t *b)
{
	show(a, w->found.a, sizeof(w->found.a));
	show(b, w->found.b, sizeof(w->found.b));
	w->each(&w->found, w->arg);
}

static void compare(struct walk *w, const json_t *a, const json_t *b);

/* A path that grows too long is cut off, too. */
__attribute__((format(printf, 4, 5)))
static void descend(struct walk *w, const json_t *a, const json_t *b, const char *fmt, ...)
{
	size_t len = strlen(w->found.path);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(w->found.path + len, sizeof(w->found.path) - len, fmt, ap);
	va_end(ap);
	compare(w, a, b);
	w->found.path[len] = '\0';
}

static void compare_objects(struct walk *w, const json_t *a, const json_t *b)
{
	const char *dot = *w->found.path ? "." : "", *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)a, key, value)
		descend(w, value, json_object_get(b, key), "%s%s", dot, key);
	json_object_foreach ((json_t *)(uintptr_t)b, key, value)
		if (!json_object_get(a, key))
			descend(w, NULL, value, "%s%s", dot, key);
}

static void compare_arrays(struct walk *w, const json_t *a, const json_t *b)
{
	size_t count_a = json_array_size(a), count_b = json_array_size(b);

	for (size_t i = 0; i < count_a || i < count_b; i++)
		descend(w, json_array_get(a, i), json_array_get(b, i), "[%zu]", i);
}

static void compare(struct walk *w, const json_t *a, const json_t *b)
{
	if (a && b && json_is_object(a) && json_is_object(b))
		compare_objects(w, a, b);
	else if (a && b && json_is_array(a) && json_is_array(b))
		compare_arrays(w, a, b);
	else if (!json_equal(a, b))
		report(w, a, b);
}

void json_differences(const struct json_node *a, const struct json_node *b,
		      void (*each)(const struct json_difference *difference, void *arg), void *arg)
{
	struct walk w = { .each = each, .arg = arg };

	compare(&w, a->value, b->value);
}
