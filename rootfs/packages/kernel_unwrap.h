/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_KERNEL_UNWRAP_H
#define KILN_ROOTFS_KERNEL_UNWRAP_H

#include <stdbool.h>

struct error;

/*
 * The kernel proper out of the bzImage `from`, written whole to `to`. *ret_done: false, and nothing is written, if
 * there is none that QEMU could start (format/linux_image.h): `from` itself then serves.
 * ERROR_INPUT: the payload is damaged.
 */
int kernel_unwrap(const char *from, const char *to, bool *ret_done, struct error *err);

#endif
