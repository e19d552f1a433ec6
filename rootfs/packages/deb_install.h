/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_DEB_INSTALL_H
#define KILN_ROOTFS_PACKAGES_DEB_INSTALL_H

struct error;
struct lock_set;
struct store;

/*
 * All packages of a set unpacked at once, as one tar archive without compression at `path`: their files,
 * where base-files' links put them (bin/x is usr/bin/x), and dpkg's database of them in state
 * "unpacked". No script of a package runs here. In the order of the packages, not sorted; no path twice.
 *
 * As dpkg does: of directories the first package's owner and mode count; two packages with one file
 * are an error (ERROR_OUTSIDE, naming both) unless one replaces the other.
 *
 * Two kinds of packages cannot be unpacked in bulk, for their preinst counts on others' being there or configured: those
 * that move files of others aside (dpkg-divert --rename), and those that make users (Pre-Depends: adduser
 * and the like). Their .deb is put into DEB_INSTALL_LATER for dpkg itself.
 */
#define DEB_INSTALL_LATER "var/lib/dpkg/kiln-later"

int deb_install(const struct store *store, const struct lock_set *set, const char *path,
		struct error *err);

#endif
