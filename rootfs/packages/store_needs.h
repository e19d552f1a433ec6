/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_STORE_NEEDS_H
#define KILN_ROOTFS_PACKAGES_STORE_NEEDS_H

#include <stddef.h>
#include <stdint.h>

struct image_locks;

/* The objects that locks need of the store to be built and tested from: packages, and the index
 * of each set. */
struct store_need {
	char *name;		/* for people: "bash 5.2.15-2 (amd64)", "the index of mpc's image packages" */
	char sha256[65];
	uint64_t size;		/* bytes; of an index UINT64_MAX, for no lock tells it */
};
struct store_needs {
	struct store_need *items;	/* by digest, each once */
	size_t count;
};
/* No index may be larger. */
#define STORE_INDEX_MAX ((uint64_t)64 << 20)

void store_needs_make(const struct image_locks *locks, struct store_needs *ret);
/* NULL: none of the locks needs it. */
const struct store_need *store_needs_find(const struct store_needs *needs, const char *sha256);
void store_needs_free(struct store_needs *needs);
#define CLEANUP_STORE_NEEDS __attribute__((cleanup(store_needs_free)))

#endif
