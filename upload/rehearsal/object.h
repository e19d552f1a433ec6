/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_OBJECT_H
#define KILN_REHEARSAL_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "query.h"

struct error;

/*
 * What the server keeps: snapshots, images, stacks. Each is a list of fields, a file DIR/objects/ID of lines with a tab
 * between key and value, and belongs to a region. Whoever calls holds the server's lock.
 */
struct object {
	char *id;			/* "snap-0123456789abcdef0" */
	char *region;
	int64_t created_ms;		/* of the epoch */
	struct pairs fields;		/* keys are the author's own, "tag:KEY" and "share:KIND" */
	char *path;
};

struct objects {
	char *directory;
	struct object **items;		/* in the order they were made */
	size_t count;
};

/* Reads what is there; makes the directory. */
int objects_open(const char *directory, struct objects *ret, struct error *err);
void objects_close(struct objects *o);

/* A new one with an id PREFIX-17 hex digits; kept once it was saved. */
struct object *objects_add(struct objects *o, const char *prefix, const char *region, int64_t now_ms);
/* Writes its file, whole or not at all. */
int object_save(const struct object *o, struct error *err);
/* Of any region with NULL. NULL: there is none. */
struct object *objects_find(const struct objects *o, const char *region, const char *id);
/* Is it a snapshot ("snap"), image ("ami"), stack? */
bool object_is(const struct object *o, const char *prefix);

/* "" and 0 where there is no such field. */
const char *object_get(const struct object *o, const char *key);
uint64_t object_number(const struct object *o, const char *key);
void object_set(struct object *o, const char *key, const char *value);
void object_set_number(struct object *o, const char *key, uint64_t value);
/* Deleted objects stay, for those made of them, and are found by objects_find(). */
bool object_gone(const struct object *o);

#endif
