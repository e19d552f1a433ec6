/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_CHANGES_H
#define KILN_ROOTFS_PACKAGES_CHANGES_H

#include "../../factory/model/lock.h"

/* What one lock has other than another, set by set, packages by name and architecture. */
struct lock_change {
	enum lock_set_id set;
	const struct locked_package *before;	/* NULL: added */
	const struct locked_package *after;	/* NULL: removed */
};
struct lock_changes {
	struct lock_change *items;	/* borrow from both locks */
	size_t count;
};
/* A package counts as the same when its digest is, wherever it comes from. */
void lock_changes_find(const struct lock *before, const struct lock *after,
		       struct lock_changes *ret);
void lock_changes_free(struct lock_changes *changes);
#define CLEANUP_LOCK_CHANGES __attribute__((cleanup(lock_changes_free)))

#endif
