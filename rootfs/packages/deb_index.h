/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_DEB_INDEX_H
#define KILN_ROOTFS_PACKAGES_DEB_INDEX_H

#include "stanza.h"

struct buf;
struct error;
struct lock_set;
struct locked_package;
struct store;

/* The Packages list of one set, as package_family.index wants it: every package's own control file, with
 * Filename, Size and SHA256 out of the lock. */
int deb_index(const struct store *store, const struct lock_set *set, char ret_sha256[static 65],
	      struct error *err);

/* One package's paragraph of such a list, and a blank line; *index is as it was when it fails. */
int deb_index_add(const struct store *store, const struct locked_package *package, struct buf *index,
		  struct error *err);

/* Does a list name exactly the packages of the set, each with the set's facts? ERROR_INPUT: the first
 * that differs, and how. */
int deb_index_check(const struct lock_set *set, struct text index, struct error *err);

#endif
