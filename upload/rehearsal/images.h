/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_IMAGES_H
#define KILN_REHEARSAL_IMAGES_H

#include <stdbool.h>

#include "call.h"
#include "object.h"

/*
 * Images. Fields: State (available, failed), Owner, and what RegisterImage was given under its parameters' names
 * ("BootMode", "BlockDeviceMapping.1.Ebs.SnapshotId").
 */

#define IMAGE_DEVICES_MAX 28

/* One of the call's region that was not deregistered, or NULL. */
struct object *images_find(const struct call *c, const char *id);
/* An image in that region that has the snapshot, or NULL. */
const struct object *images_using(const struct call *c, const char *snapshot);
/* A device's field, "Ebs.SnapshotId" of the n-th from 1 on; "" when there is none. */
const char *images_device(const struct object *o, unsigned int n, const char *field);
/* Is the name well-formed, and nobody's in this region? Else the answer says so. */
bool images_name_free(struct call *c, const char *name);
/* A new one, not yet saved. */
struct object *images_new(struct call *c, const char *name);
bool images_save(struct call *c, struct object *image);
/* Answers with its id. */
void images_answer_id(struct call *c, const struct object *image);
/* The answer for an id that is nobody's. */
void images_not_found(struct call *c, const char *id);

#endif
