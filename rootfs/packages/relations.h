/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_RELATIONS_H
#define KILN_ROOTFS_PACKAGES_RELATIONS_H

#include "stanza.h"

/*
 * Relations between packages by their names alone, deb-control(5): "a (>= 1), b:any | c [amd64]". Versions and the like are
 * not looked at: the archive has tried its packages together.
 */

/* The next package, alternatives one by one; moves *rest on; false at the end. */
bool relations_next(struct text *rest, struct text *ret);
bool relations_name(struct text relations, const char *package);

#endif
