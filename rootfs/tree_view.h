/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_TREE_VIEW_H
#define KILN_ROOTFS_TREE_VIEW_H

#include "tree_archive.h"

/* For tree*.c alone: what of its archives a tree shows. */
struct tree {
	struct tree_archive lower, upper;	/* upper: of merged trees */
	const struct tree_entry **entries;	/* sorted by path; no whiteouts; the root is there */
	size_t count;
};

/* Where the path is, or would be. */
size_t tree_position(const struct tree *t, const char *path);

#endif
