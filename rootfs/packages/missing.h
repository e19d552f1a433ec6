/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_MISSING_H
#define KILN_ROOTFS_PACKAGES_MISSING_H

#include "download.h"

struct error;
struct lock;
struct store;

/*
 * The packages of a lock that the store lacks, each once. A damaged object counts as missing:
 * fetching is how the store heals.
 */
struct missing {
	struct download *items;		/* without their roots */
	size_t count;
	size_t total;			/* different packages the lock names */
};
/* Every object's bytes are hashed. The packages are the lock's. */
int missing_find(const struct store *store, const struct lock *lock, struct missing *ret,
		 struct error *err);
void missing_free(struct missing *missing);
#define CLEANUP_MISSING __attribute__((cleanup(missing_free)))

#endif
