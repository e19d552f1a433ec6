/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_DECOMPRESS_H
#define KILN_ROOTFS_DECOMPRESS_H

#include <stddef.h>

struct buf;
struct error;

/* How much of a name tells its compression: ".xz", ".zst" or ".gz"; 0 for none. */
size_t decompress_suffix(const char *name);
/*
 * Appends what the bytes were before they were compressed as `name` tells, or the bytes themselves.
 * ERROR_INPUT with the name: damaged, or more than the buffer may hold.
 */
int decompress(const char *name, const void *data, size_t size, struct buf *ret, struct error *err);

#endif
