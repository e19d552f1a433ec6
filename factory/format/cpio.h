/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_CPIO_H
#define KILN_FORMAT_CPIO_H

#include <stdint.h>
#include <sys/types.h>

#include "../base/buf.h"

/*
 * The "newc" cpio archive that the kernel reads as initrd (Linux Documentation,
 * driver-api/early-userspace/buffer-format). Owner 0:0, mtime 0, inode numbers from 1 in the order
 * of the calls: the same calls give the same bytes. Errors as buf's.
 */
struct cpio_writer {
	struct buf *out;
	uint32_t next_inode;
};

void cpio_begin(struct cpio_writer *w, struct buf *out);
int cpio_directory(struct cpio_writer *w, const char *path, mode_t mode);
int cpio_file(struct cpio_writer *w, const char *path, mode_t mode, const void *data, size_t size);
int cpio_symlink(struct cpio_writer *w, const char *path, const char *target);
/* Character device, e.g. /dev/console 5:1. */
int cpio_device(struct cpio_writer *w, const char *path, mode_t mode, uint32_t major, uint32_t minor);
/* "TRAILER!!!" and padding to 4 bytes. */
int cpio_end(struct cpio_writer *w);

#endif
