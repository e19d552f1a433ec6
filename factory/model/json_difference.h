/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_JSON_DIFFERENCE_H
#define KILN_MODEL_JSON_DIFFERENCE_H

#include "json.h"

/* One value that differs between two JSON files. */
struct json_difference {
	char path[160];			/* "partitions[1].sha256" */
	char a[80], b[80];		/* as they stand in the text, cut off; "nothing" where one has no such value */
};

/*
 * Calls `each` for every difference, depth first, in the order of `a`'s keys and then of the keys that only
 * `b` has. Numbers, strings and literals compare as values, so spacing does not count.
 */
void json_differences(const struct json_node *a, const struct json_node *b,
		      void (*each)(const struct json_difference *difference, void *arg), void *arg);

#endif
