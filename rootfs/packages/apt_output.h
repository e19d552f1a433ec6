/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_APT_OUTPUT_H
#define KILN_ROOTFS_PACKAGES_APT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stanza.h"

/* What apt-get prints (LANG=C.UTF-8), read. */

/* A line of --print-uris, "'URI' FILE SIZE SHA256:HEX": the digest; false for any other line. */
bool apt_output_choice(struct text line, uint8_t ret_sha256[static 32]);
/* The first package that could not be had for want of `name`: " mount : Depends: libc6 (>= 2.38) but ...". */
bool apt_output_dependent(struct text output, const char *name, struct text *ret);
/* apt's list of unmet dependencies on one line, as much of it as fits; false if there is none. */
bool apt_output_unmet(struct text output, char *ret, size_t size);

#endif
