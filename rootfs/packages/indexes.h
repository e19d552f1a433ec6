/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_INDEXES_H
#define KILN_ROOTFS_PACKAGES_INDEXES_H

struct error;
struct lock;
struct package_family;
struct store;

/*
 * The index of each set: checked where the store has it, else made from the packages in the store. A new
 * lock gets its digest; one that has a digest already must have the same.
 */
int indexes_make(const struct store *store, const struct package_family *family, struct lock *lock,
		 struct error *err);

#endif
