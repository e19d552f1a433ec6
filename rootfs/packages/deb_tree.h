/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_DEB_TREE_H
#define KILN_ROOTFS_PACKAGES_DEB_TREE_H

struct error;
struct lock_set;
struct store;

/*
 * The files of all packages of a set as a tree below `directory`, owned by whoever runs this: for tools and
 * headers that are used here and never installed. Only what begins with one of `wanted`, but not with one of
 * `skipped` (NULL-terminated lists of prefixes: "usr/lib/"; skipped may be NULL). As safe as deb_extract(): nothing
 * is ever written through a link or outside; links to absolute paths are left out, for they would lead to
 * the host's files.
 */
int deb_tree(const struct store *store, const struct lock_set *set, const char *const *wanted,
	     const char *const *skipped, const char *directory, struct error *err);

#endif
