/* SPDX-License-Identifier: Apache-2.0 */
#include "object.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/digest.h"
#include "../../factory/base/error.h"
#include "../../factory/base/fields.h"
#include "../../factory/base/io.h"
#include "../../factory/base/walk.h"
#include "../../factory/model/memory.h"

#define OBJECT_SIZE_MAX (1024 * 1024)
#define ID_DIGITS 17

static struct object *append(struct objects *o, const char *id)
{
	struct object **slot = memory_append(&o->items, o->count, sizeof(*slot));

	*slot = memory_new(sizeof(**slot));
	(*slot)->id = string_copy(id);
	(*slot)->path = path_join(o->directory, id);
	o->count++;
	return *slot;
}

static void free_object(struct object *o)
{
	free(o->id);
	free(o->region);
	free(o->path);
	pairs_free(&o->fields);
	free(o);
}

/* ---------------------------------------------------------------- files */

static int parse(struct object *o, char *text, const char *path, struct error *err)
{
	char *field[2];
	int n;

	while ((n = fields_next(&text, field, 2)) == 2)
		pairs_add(&o->fields, field[0], field[1]);
	if (n != 0)
		return error_input(err, "%s: a line that is not a key, a tab and a value", path);
	o->region = string_copy(object_get(o, "Region"));
	o->created_ms = (int64_t)object_number(o, "Created");
	return 0;
}

static int load(void *arg, const char *path, const char *name, const struct stat *st, struct error *err)
{
	struct objects *o = arg;
	CLEANUP_BUF struct buf text = BUF_INIT(OBJECT_SIZE_MAX);
	int r;

	(void)st;
	/* The directory itself, and what a killed server left half-written. */
	if (!*name || !strchr(name, '-') || strchr(name, '.'))
		return 0;
	r = io_read_file(path, OBJECT_SIZE_MAX, &text, err);
	if (r < 0)
		return r;
	return parse(append(o, name), text.data ? (char *)text.data : (char[]){ "" }, path, err);
}

static int by_number(const void *a, const void *b)
{
	const struct object *x = *(struct object *const *)a, *y = *(struct object *const *)b;
	uint64_t m = object_number(x, "Number"), n = object_number(y, "Number");

	return m < n ? -1 : m > n;
}

int objects_open(const char *directory, struct objects *ret, struct error *err)
{
	int r = io_mkdirs(directory, 0777, err);

	*ret = (struct objects){ .directory = string_copy(directory) };
	if (r == 0)
		r = walk_tree(directory, "", load, ret, err);
	if (r == 0 && ret->count)
		qsort(ret->items, ret->count, sizeof(*ret->items), by_number);
	if (r < 0)
		objects_close(ret);
	return r;
}

void objects_close(struct objects *o)
{
	for (size_t i = 0; i < o->count; i++)
		free_object(o->items[i]);
	free(o->items);
	free(o->directory);
	*o = (struct objects){ .directory = NULL };
}

int object_save(const struct object *o, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(SIZE_MAX);

	for (size_t i = 0; i < o->fields.count; i++)
		fields_add(&text, o->fields.items[i].name, o->fields.items[i].value);
	return io_write_file(o->path, text.data, text.len, 0666, err);
}

/* ---------------------------------------------------------------- objects */

/* Looks like one of AWS's, and is the same in each run. */
static void make_id(const char *prefix, uint64_t number, char ret[static 40])
{
	CLEANUP_FREE char *text = string_printf("%s %" PRIu64, prefix, number);
	char hex[2 * DIGEST_MAX + 1];
	struct digest d;

	digest_of(DIGEST_SHA256, text, strlen(text), &d);
	digest_hex(&d, hex);
	(void)snprintf(ret, 40, "%.20s-%.*s", prefix, ID_DIGITS, hex);
}

struct object *objects_add(struct objects *o, const char *prefix, const char *region, int64_t now_ms)
{
	uint64_t number = o->count ? object_number(o->items[o->count - 1], "Number") + 1 : 1;
	struct object *object;
	char id[40];

	make_id(prefix, number, id);
	object = append(o, id);
	object->region = string_copy(region);
	object->created_ms = now_ms;
	object_set(object, "Region", region);
	object_set_number(object, "Created", (uint64_t)now_ms);
	object_set_number(object, "Number", number);
	return object;
}

struct object *objects_find(const struct objects *o, const char *region, const char *id)
{
	for (size_t i = 0; i < o->count; i++)
		if (strcmp(o->items[i]->id, id) == 0 && (!region || strcmp(o->items[i]->region, region) == 0))
			return o->items[i];
	return NULL;
}

bool object_is(const struct object *o, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(o->id, prefix, len) == 0 && o->id[len] == '-';
}

const char *object_get(const struct object *o, const char *key)
{
	const char *value = pairs_get(&o->fields, key);

	return value ? value : "";
}

uint64_t object_number(const struct object *o, const char *key)
{
	return strtoull(object_get(o, key), NULL, 10);
}

void object_set(struct object *o, const char *key, const char *value)
{
	pairs_set(&o->fields, key, value);
}

void object_set_number(struct object *o, const char *key, uint64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	object_set(o, key, text);
}

bool object_gone(const struct object *o)
{
	return *object_get(o, "Gone");
}
