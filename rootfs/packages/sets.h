/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_SETS_H
#define KILN_ROOTFS_PACKAGES_SETS_H

#include "packages.h"

struct description;

/* What each lock set asks for: Kiln's own table plus the description's packages. Names are sorted. */
struct package_sets {
	struct package_set_request requests[LOCK_SETS];
};
void package_sets_make(const struct description *d, struct package_sets *ret);
void package_sets_free(struct package_sets *sets);
#define CLEANUP_PACKAGE_SETS __attribute__((cleanup(package_sets_free)))

#endif
