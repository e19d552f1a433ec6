/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_SNAPSHOTS_H
#define KILN_REHEARSAL_SNAPSHOTS_H

#include <stdbool.h>

#include "call.h"
#include "object.h"

/*
 * Snapshots, as EBS and EC2 both see them. Fields: State (pending, completed, error), VolumeSize (GiB), Description,
 * Encrypted, KmsKeyArn, Parent (as its maker named it), Base (whose blocks lie below), Owner, and what others keep
 * there.
 */

/* A new pending one with its layer; NULL: it cannot be had, and the answer says so. */
struct object *snapshots_new(struct call *c, uint64_t volume_size, const char *description);
/* Saves it; false: that failed, and the answer says so. */
bool snapshots_save(struct call *c, struct object *snapshot);
/* One of the call's region that was not deleted, or NULL. */
struct object *snapshots_find(const struct call *c, const char *id);
bool snapshots_is_id(const char *text);
/* Marks it as deleted, and removes the blocks of whatever is of no more use. */
bool snapshots_delete(struct call *c, struct object *snapshot);

#endif
