/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_COMPARISON_H
#define KILN_FACTORY_COMPARISON_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* What a comparison of two images (compare.h) has found. */

/* In this order each part is made from those before it. */
enum compare_part {
	COMPARE_INPUTS,			/* what the manifests say went in */
	COMPARE_PACKAGES,
	COMPARE_ROOT,
	COMPARE_VERITY,
	COMPARE_BOOT_FILE,
	COMPARE_ESP,
	COMPARE_TABLE,
	COMPARE_DISK,			/* outside tables and partitions */
	COMPARE_MANIFEST,
	COMPARE_MEASUREMENTS,
};
extern const char *const compare_part_names[];

struct compare_finding {
	enum compare_part part;
	bool follows;			/* from an earlier finding: no cause of its own */
	char *text;			/* "etc/hostname: the contents differ at byte 3" */
};

/* What differs, in the order of the parts; nothing when the images are the same. */
struct comparison {
	struct compare_finding *findings;
	size_t count;
};
void comparison_clear(struct comparison *c);
#define CLEANUP_COMPARISON __attribute__((cleanup(comparison_clear)))

void comparison_add(struct comparison *c, enum compare_part part, bool follows, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Is there a finding of a part from `first` to `last`? */
bool comparison_has(const struct comparison *c, enum compare_part first, enum compare_part last);
/* The first cause; NULL when the images are the same. */
const struct compare_finding *comparison_cause(const struct comparison *c);
/* A line for each finding. Errors as buf's. */
int comparison_table(const struct comparison *c, struct buf *ret);

#endif
