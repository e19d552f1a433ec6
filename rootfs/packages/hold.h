/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_HOLD_H
#define KILN_ROOTFS_PACKAGES_HOLD_H

#include <stdbool.h>
#include <stddef.h>

#include "stanza.h"

struct error;
struct lock_set;
struct locked_package;

/*
 * Versions that a set is to keep although the archive has moved on. apt prefers them
 * (apt_preferences(5)); where that leaves no solution, what is in the way is let go, as little as
 * possible at a time. A version that no repository has any more holds nothing back.
 */
struct hold {
	const struct locked_package **packages;	/* borrowed */
	size_t count;
};

/* Everything of `before` (may be NULL) but what is in `moving` (NULL-terminated, or NULL). */
void hold_make(const struct lock_set *before, const char *const *moving, struct hold *ret);
void hold_free(struct hold *hold);
#define CLEANUP_HOLD __attribute__((cleanup(hold_free)))

/* As a file of preferences for apt. */
int hold_write(const struct hold *hold, const char *path, struct error *err);

/*
 * apt has found no solution and says why in `output`: lets go the packages that others would need in
 * another version, else those that cannot do with the others', else all. False: nothing was held.
 */
bool hold_relax(struct hold *hold, struct text output);

#endif
