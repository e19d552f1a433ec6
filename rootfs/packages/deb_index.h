/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_DEB_INDEX_H
#define KILN_ROOTFS_PACKAGES_DEB_INDEX_H

struct error;
struct lock_set;
struct store;

/* The Packages list of one set, as package_family.index wants it: every package's own control file, with
 * Filename, Size and SHA256 out of the lock. */
int deb_index(const struct store *store, const struct lock_set *set, char ret_sha256[static 65],
	      struct error *err);

#endif
