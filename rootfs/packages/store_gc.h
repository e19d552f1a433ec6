/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_STORE_GC_H
#define KILN_ROOTFS_PACKAGES_STORE_GC_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "store_list.h"

struct store_needs;

struct store_gc_options {
	const struct store_needs *keep;	/* stays however long ago it was of use */
	struct timespec before;		/* what was of use since then stays, too; {0, 0}: no matter when */
	bool has_before;
	bool dry_run;			/* remove nothing */
};
struct store_garbage {
	struct store_list list;		/* all that was there; its objects reordered: the garbage first */
	size_t count;			/* of the garbage */
	uint64_t size, kept_size;	/* bytes of it, and of what stays */
};

/*
 * Removes what no lock needs and nobody has used. Unless it is a dry run the store must be open
 * alone: then no build reads and no fetch writes what goes.
 */
int store_gc(const struct store *s, const struct store_gc_options *options, struct store_garbage *ret,
	     struct error *err);
void store_garbage_free(struct store_garbage *garbage);
#define CLEANUP_STORE_GARBAGE __attribute__((cleanup(store_garbage_free)))

#endif
