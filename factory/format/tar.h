/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_TAR_H
#define KILN_FORMAT_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/*
 * A ustar archive (POSIX.1-1988, pax(1) "ustar Interchange Format"), read only, from bytes: what
 * stages hand each other. Files and directories; any other kind of entry is refused by name.
 */
struct tar_entry {
	char path[257];			/* prefix "/" name, leading "./" and trailing "/" removed */
	bool directory;
	const uint8_t *data;		/* into the caller's bytes */
	size_t size;
};

/*
 * The entry at *offset (0 to begin with), which moves past it. 1: *ret is filled; 0: end of the archive.
 * ERROR_INPUT: a header whose checksum is wrong, data that ends early, a path that leaves the
 * directory; names the offset. Fuzzed.
 */
int tar_next(const uint8_t *data, size_t size, size_t *offset, struct tar_entry *ret, struct error *err);

#endif
