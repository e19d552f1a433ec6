/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_TREE_PATH_H
#define KILN_ROOTFS_TREE_PATH_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Paths within a tree: "usr/bin/sh". No "/" at either end, no empty component, no "." and "..";
 * "" is the root.
 */

/* As an archive has it, with "./" in front or "/" behind. Malloc'ed; NULL: it leaves the tree, or is no path. */
char *tree_path_clean(const char *path, size_t size);

/* Bytewise by component: "/" is lower than any other byte, so all below a directory comes right after it. */
int tree_path_compare(const char *a, const char *b);
/* Is `path` below the directory, and not that itself? */
bool tree_path_below(const char *path, const char *directory);
/* How much of it is its directory's: 0 for what lies in the root. */
size_t tree_path_parent(const char *path);

#endif
