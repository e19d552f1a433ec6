/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_OVMF_H
#define KILN_ROOTFS_PACKAGES_OVMF_H

#include <stdbool.h>

struct error;

/*
 * Does this build of OVMF (a .fd file with code in it) have the Secure Boot driver? One without knows no
 * variable "SecureBoot" and measures it as zero bytes, so its PCR 7 is not that of an EC2 machine,
 * Secure Boot on or off. What the file is called says nothing reliable about it. ERROR_INPUT when
 * it is no OVMF.
 */
int ovmf_has_secure_boot(const char *path, bool *ret, struct error *err);

#endif
