/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_TESTS_UNIT_TAR_ARCHIVE_H
#define KILN_TESTS_UNIT_TAR_ARCHIVE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "factory/base/buf.h"

/* ustar archives for tests, by hand. `prefix` may be NULL. */
static inline void tar_add(struct buf *b, const char *name, const char *prefix, char type,
			   const void *data, size_t size)
{
	char header[513] = "";
	unsigned int sum = 0;

	memcpy(header, name, strlen(name));
	memcpy(header + 100, "0000644", 8);
	snprintf(header + 124, 12, "%011o", (unsigned int)size);
	header[156] = type;
	memcpy(header + 257, "ustar\00000", 8);
	if (prefix)
		memcpy(header + 345, prefix, strlen(prefix));
	memset(header + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)header[i];
	snprintf(header + 148, 7, "%06o", sum & 0777777);
	if (buf_add(b, header, 512) < 0 || buf_add(b, data, size) < 0 || buf_align(b, 512) < 0)
		abort();
}

static inline void tar_end(struct buf *b)
{
	if (buf_fill(b, 0, 1024) < 0)
		abort();
}

#endif
