/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_DEB_BUNDLE_H
#define KILN_ROOTFS_PACKAGES_DEB_BUNDLE_H

struct error;
struct lock_set;
struct store;

/*
 * The files of all packages of a set as one tar archive without compression, for a tree in which no
 * package's script ever runs: the builder root and the sysroot. Unpacking is the appliance's business;
 * decompressing here is several times as fast as there.
 *
 * Paths that begin with one of `skipped` (NULL-terminated: "usr/share/doc/") are left out. The package
 * `first` (may be NULL) leads, so that its links to directories are there before what lies behind them.
 */
int deb_bundle(const struct store *store, const struct lock_set *set, const char *first,
	       const char *const *skipped, const char *path, struct error *err);

#endif
