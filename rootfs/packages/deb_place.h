/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_DEB_PLACE_H
#define KILN_ROOTFS_PACKAGES_DEB_PLACE_H

#include "deb_file.h"

struct archive_entry;

/*
 * A file or link of a package becomes one of this machine, below the directory that `root` is open on and at
 * the path `name` there. Directories come into being with what is in them; nothing that is there is
 * replaced. Files belong to whoever runs this and have mode 0755 or 0644.
 *
 * Everything is opened step by step from `root` and never through a link, so no order of entries
 * can lead a write outside. Links are made, with one rule: their target is relative and has ".." only
 * at its beginning, no more of them than the link lies deep. As the directories above a link are
 * real ones, what such a link names is inside, whatever other links it passes.
 */
int deb_place(struct deb_file *deb, struct archive_entry *entry, const char *name, int root,
	      struct error *err);

#endif
