/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_LISTING_H
#define KILN_REHEARSAL_LISTING_H

#include <stdbool.h>

#include "call.h"
#include "object.h"

/* What EC2's Describe calls have in common: ids, owners, filters, pages. */

#define LISTING_PARAMETERS "Owner.#", "Filter.#.Name", "Filter.#.Value.#", "MaxResults", "NextToken", "DryRun"

struct listing {
	const char *prefix;		/* of the objects' ids */
	const char *id;			/* the parameter "SnapshotId" or "ImageId" */
	const char *not_found, *malformed;	/* error codes */
	const char *set;		/* the element with the items */
	/* What an object has for a filter; NULL: there is no such filter. "tag:KEY" and "tag-key" are done here. */
	const char *(*value)(const struct object *o, const char *filter);
	void (*put)(struct call *c, struct buf *b, const struct object *o);	/* an item's inside */
};

/* The whole answer. */
void listing_answer(struct call *c, const struct listing *l);

#endif
