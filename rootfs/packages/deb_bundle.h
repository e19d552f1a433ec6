/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_DEB_BUNDLE_H
#define KILN_ROOTFS_PACKAGES_DEB_BUNDLE_H

#include <sys/types.h>

struct error;
struct lock_set;
struct store;

/*
 * The files of all packages of a set as one tar archive without compression, for a tree in which no
 * package's script ever runs: the builder root.
 *
 * Paths that begin with one of `skipped` (NULL-terminated: "usr/share/doc/") are left out. The package
 * `first` (may be NULL) leads, so that its links to directories are there before what lies behind them.
 * `path` must not exist, and its directory has room for twice the size.
 * `extras` come last, in place of what scripts would have made; the list ends with a NULL path.
 */
struct deb_bundle_extra {
	const char *path;		/* without a leading "/" */
	mode_t mode;			/* with the type: S_IFREG, S_IFDIR, S_IFLNK */
	const char *content;		/* of a file, or a link's target */
	size_t size;			/* of a file's content; 0: it is a text */
};

int deb_bundle(const struct store *store, const struct lock_set *set, const char *first,
	       const char *const *skipped, const struct deb_bundle_extra *extras, const char *path,
	       struct error *err);

#endif
