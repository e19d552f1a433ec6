/* SPDX-License-Identifier: Apache-2.0 */
#include "explain_inputs.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/io.h"

#define EACH_MAX 3	/* differences shown of one label */
#define SHOWN_MAX 60	/* bytes of a value */

struct input {
	char *kind, *label, *name, *value;
	size_t at;		/* its line */
	bool met;		/* the other text has it too */
};

struct inputs {
	char *text;
	struct input *items;
	size_t count;
};

static void inputs_clear(struct inputs *in)
{
	free(in->text);
	free(in->items);
}
#define CLEANUP_INPUTS __attribute__((cleanup(inputs_clear)))

static void inputs_read(const char *text, struct inputs *ret)
{
	char *fields[4], *at;
	size_t lines = 0;

	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	ret->text = string_copy(text);
	ret->items = calloc(lines + 1, sizeof(*ret->items));
	if (!ret->items)
		error_no_memory();
	at = ret->text;
	for (int count; (count = fields_next(&at, fields, 4)) > 0;)
		if (count == 4) {
			ret->items[ret->count] = (struct input) {
				fields[0], fields[1], fields[2], fields[3], ret->count, false,
			};
			ret->count++;
		}
}

/* ---------------------------------------------------------------- finding */

static int by_name(const struct input *a, const struct input *b)
{
	int r = strcmp(a->label, b->label);

	return r ? r : strcmp(a->name, b->name);
}

static int by_all(const void *x, const void *y)
{
	const struct input *a = x, *b = y;
	int r = by_name(a, b);

	if (r == 0)
		r = strcmp(a->kind, b->kind);
	return r ? r : strcmp(a->value, b->value);
}

static int by_name_and_line(const void *x, const void *y)
{
	const struct input *a = x, *b = y;
	int r = by_name(a, b);

	if (r)
		return r;
	return a->at < b->at ? -1 : a->at > b->at;
}

static void sort(struct inputs *in, int (*order)(const void *, const void *))
{
	qsort(in->items, in->count, sizeof(*in->items), order);
}

/* Marks what both have, each as often as both have it. */
static void meet(struct inputs *then, struct inputs *now)
{
	size_t i = 0, j = 0;

	sort(then, by_all);
	sort(now, by_all);
	while (i < then->count && j < now->count) {
		int r = by_all(&then->items[i], &now->items[j]);

		if (r == 0)
			then->items[i].met = now->items[j].met = true;
		i += r <= 0;
		j += r >= 0;
	}
}

struct difference {
	const struct input *then, *now;		/* one may be NULL: there is none */
};

struct differences {
	struct difference *items;
	size_t count;
};

static size_t skip_met(const struct inputs *in, size_t i)
{
	while (i < in->count && in->items[i].met)
		i++;
	return i;
}

/* Pairs the values that one label and name had and have. */
static void pair(const struct inputs *then, const struct inputs *now, struct differences *ret)
{
	size_t i = skip_met(then, 0), j = skip_met(now, 0);

	ret->items = calloc(then->count + now->count + 1, sizeof(*ret->items));
	if (!ret->items)
		error_no_memory();
	while (i < then->count || j < now->count) {
		struct difference *d = &ret->items[ret->count++];
		int r = i == then->count ? 1 : j == now->count ? -1 : by_name(&then->items[i], &now->items[j]);

		d->then = r <= 0 ? &then->items[i] : NULL;
		d->now = r >= 0 ? &now->items[j] : NULL;
		if (d->then)
			i = skip_met(then, i + 1);
		if (d->now)
			j = skip_met(now, j + 1);
	}
}

static const struct input *either(const struct difference *d)
{
	return d->now ? d->now : d->then;
}

static int by_line(const void *x, const void *y)
{
	const struct input *a = either(x), *b = either(y);

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return by_name(a, b);
}

/* ---------------------------------------------------------------- telling */

static void add(struct buf *text, const char *part)
{
	if (buf_add_string(text, part) < 0)
		error_no_memory();
}

/* A value between quotes, cut where it is long; what is in it may not steer a terminal. */
static void add_shown(struct buf *text, const char *value, size_t size)
{
	size_t shown = size < SHOWN_MAX ? size : SHOWN_MAX;

	add(text, "\"");
	for (size_t i = 0; i < shown; i++) {
		const char c = (uint8_t)value[i] < 0x20 || value[i] == 0x7f ? '?' : value[i];

		if (buf_add(text, &c, 1) < 0)
			error_no_memory();
	}
	add(text, shown < size ? "...\"" : "\"");
}

static void add_change(struct buf *text, const char *then, size_t then_size, const char *now, size_t now_size)
{
	add_shown(text, then, then_size);
	add(text, " -> ");
	add_shown(text, now, now_size);
}

/* Of a text of many lines, the first that changed. */
static void tell_lines(struct buf *text, const char *then, const char *now)
{
	unsigned int number = 1;

	for (;; number++) {
		size_t then_size = strcspn(then, "\n"), now_size = strcspn(now, "\n");

		if (then_size != now_size || memcmp(then, now, then_size) || !then[then_size] || !now[now_size]) {
			if (buf_printf(text, "line %u: ", number) < 0)
				error_no_memory();
			add_change(text, then, then_size, now, now_size);
			return;
		}
		then += then_size + 1;
		now += now_size + 1;
	}
}

static bool is_digest(const char *value)
{
	return strlen(value) == 64 && strspn(value, "0123456789abcdef") == 64;
}

static bool is(const struct input *in, const char *kind)
{
	return in && strcmp(in->kind, kind) == 0;
}

static void tell_value(struct buf *text, const struct input *then, const struct input *now)
{
	const char *from = is(then, "none") ? NULL : then->value, *to = is(now, "none") ? NULL : now->value;

	if (from && to && (is_digest(from) || is_digest(to))) {
		add(text, "changed");
	} else if (from && to && (strchr(from, '\n') || strchr(to, '\n'))) {
		tell_lines(text, from, to);
	} else if (from && to) {
		add_change(text, from, strlen(from), to, strlen(to));
	} else {
		add(text, from ? "no more, was " : "now ");
		add_shown(text, from ? from : to ? to : "", strlen(from ? from : to ? to : ""));
	}
}

/* VERSION SHA256 */
static void tell_package(struct buf *text, const char *then, const char *now)
{
	int then_size = (int)strcspn(then, " "), now_size = (int)strcspn(now, " ");
	bool same = then_size == now_size && memcmp(then, now, (size_t)now_size) == 0;
	int r = same ? buf_printf(text, "%.*s with other contents", now_size, now) :
		       buf_printf(text, "%.*s -> %.*s", then_size, then, now_size, now);

	if (r < 0)
		error_no_memory();
}

/* MODE SIZE SHA256 of a file, MODE of a directory, the target of a link */
static void tell_file(struct buf *text, const struct input *then, const struct input *now)
{
	const char *then_rest = strchr(then->value, ' '), *now_rest = strchr(now->value, ' ');
	bool same = then_rest && now_rest ? strcmp(then_rest, now_rest) == 0 : then_rest == now_rest;

	if (strcmp(then->kind, now->kind)) {
		if (buf_printf(text, "was a %s and is a %s", then->kind, now->kind) < 0)
			error_no_memory();
	} else if (same && !is(now, "link")) {
		if (buf_printf(text, "has mode %.4s, had %.4s", now->value, then->value) < 0)
			error_no_memory();
	} else {
		add(text, "changed");
	}
}

/* "LABEL: " or, of one of many, "LABEL: NAME " */
static void begin(struct buf *text, const struct input *in, bool many)
{
	add(text, in->label);
	add(text, many || *in->name ? ": " : " ");
	if (*in->name) {
		add(text, in->name);
		add(text, " ");
	}
}

static bool is_in_tree(const struct input *in)
{
	return is(in, "file") || is(in, "directory") || is(in, "link");
}

static void tell_one_sided(struct buf *text, const struct difference *d)
{
	const struct input *in = either(d);
	bool value = is(in, "string") || is(in, "number");

	begin(text, in, value);
	if (value) {
		add_shown(text, in->value, strlen(in->value));
		add(text, " ");
	}
	add(text, d->now ? "is new" : "is gone");
}

static void tell(struct buf *text, const struct difference *d)
{
	const struct input *in = either(d);

	if (is(in, "artifact")) {
		if (buf_printf(text, "input %s of stage %s %s", in->label, in->name,
			       d->now ? "is new" : "is read no more") < 0)
			error_no_memory();
	} else if (!d->then || !d->now) {
		tell_one_sided(text, d);
	} else if (is(in, "packages")) {
		add(text, in->label);
		add(text, ": the same packages come from elsewhere");
	} else {
		begin(text, in, !is_in_tree(in));
		if (is(in, "package"))
			tell_package(text, d->then->value, d->now->value);
		else if (is_in_tree(in) && is_in_tree(d->then))
			tell_file(text, d->then, d->now);
		else
			tell_value(text, d->then, d->now);
	}
	add(text, "\n");
}

/* A set's own digest has nothing to say where one of its packages has. */
static bool speaks(const struct differences *all, const struct difference *d)
{
	if (!is(either(d), "packages"))
		return true;
	for (size_t i = 0; i < all->count; i++)
		if (is(either(&all->items[i]), "package") &&
		    strcmp(either(&all->items[i])->label, either(d)->label) == 0)
			return false;
	return true;
}

static void tell_all(struct buf *text, const struct differences *all)
{
	size_t of_label = 0;

	for (size_t i = 0; i < all->count; i++) {
		const char *label = either(&all->items[i])->label;
		bool last = i + 1 == all->count || strcmp(either(&all->items[i + 1])->label, label);

		if (speaks(all, &all->items[i]) && ++of_label <= EACH_MAX)
			tell(text, &all->items[i]);
		if (last && of_label > EACH_MAX && buf_printf(text, "%s: and %zu more\n", label, of_label - EACH_MAX) < 0)
			error_no_memory();
		if (last)
			of_label = 0;
	}
}

size_t explain_inputs(const char *then, const char *now, struct buf *ret)
{
	CLEANUP_INPUTS struct inputs was = { 0 }, is_now = { 0 };
	struct differences all = { 0 };
	size_t count;

	inputs_read(then, &was);
	inputs_read(now, &is_now);
	meet(&was, &is_now);
	sort(&was, by_name_and_line);
	sort(&is_now, by_name_and_line);
	pair(&was, &is_now, &all);
	qsort(all.items, all.count, sizeof(*all.items), by_line);
	tell_all(ret, &all);
	count = all.count;
	free(all.items);
	if (count == 0 && strcmp(then, now)) {
		add(ret, "the order of its inputs changed\n");
		count = 1;
	}
	return count;
}
