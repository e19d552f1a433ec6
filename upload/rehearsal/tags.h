/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_TAGS_H
#define KILN_REHEARSAL_TAGS_H

#include <stdbool.h>

#include "call.h"
#include "object.h"

/* EC2's tags; an object keeps them as fields "tag:KEY". */

#define TAG_SPECIFICATIONS "TagSpecification.#.ResourceType", "TagSpecification.#.Tag.#.Key", \
			   "TagSpecification.#.Tag.#.Value"

/* Are the request's specifications for one of the types (NULL at the end), and their tags sound? Else the answer says
 * so. */
bool tags_check(struct call *c, const char *const *types);
/* Those for `type` become the object's. */
void tags_take(const struct call *c, const char *type, struct object *o);
/* <tagSet>; nothing when there are none. */
void tags_put(struct buf *b, const struct object *o);
/* May it be a tag's? Else the answer says so. */
bool tags_sound(struct call *c, const char *key, const char *value);
void tags_set(struct object *o, const char *key, const char *value);

#endif
