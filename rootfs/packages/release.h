/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_RELEASE_H
#define KILN_ROOTFS_PACKAGES_RELEASE_H

#include <stdint.h>

#include "stanza.h"

struct error;

/* The Date of a Release or InRelease file, "Sat, 08 Nov 2025 10:11:12 UTC", in seconds since 1970. */
int release_date(struct text release, const char *file, int64_t *ret, struct error *err);

#endif
