/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_CPIO_READ_H
#define KILN_FORMAT_CPIO_READ_H

#include <stddef.h>
#include <stdint.h>

struct error;

/* The reading side of cpio.h: "newc" archives one after another with zeros between them, as the kernel unpacks them
 * (Linux Documentation, driver-api/early-userspace/buffer-format). */

struct cpio_entry {
	const char *name;		/* in the caller's bytes, ended by a NUL; not cleaned */
	uint32_t mode;			/* with the type */
	const uint8_t *data;
	uint32_t size;
};

/*
 * The entry at *offset (0 to begin with), which moves past it; trailers are passed over. 1: *ret is filled; 0: the
 * end; -ENOMSG: what is at *offset is no archive of that kind, perhaps a compressed one; ERROR_INPUT (-EINVAL): a
 * malformed one. Fuzzed.
 */
int cpio_next(const uint8_t *data, size_t size, size_t *offset, struct cpio_entry *ret, struct error *err);

#endif
