/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_TAR_FIELDS_H
#define KILN_FORMAT_TAR_FIELDS_H

#include <stddef.h>
#include <stdint.h>

/* The fields of a ustar header: offset and width. For reader and writer alike. */
enum {
	TAR_NAME = 0, TAR_NAME_SIZE = 100,
	TAR_MODE = 100, TAR_MODE_SIZE = 8,
	TAR_UID = 108, TAR_UID_SIZE = 8,
	TAR_GID = 116, TAR_GID_SIZE = 8,
	TAR_LENGTH = 124, TAR_LENGTH_SIZE = 12,
	TAR_MTIME = 136, TAR_MTIME_SIZE = 12,
	TAR_CHECKSUM = 148, TAR_CHECKSUM_SIZE = 8,
	TAR_TYPE = 156,
	TAR_LINK = 157, TAR_LINK_SIZE = 100,
	TAR_MAGIC = 257, TAR_MAGIC_SIZE = 5,	/* GNU tar writes a blank where ustar has a NUL after it */
	TAR_VERSION = 263, TAR_VERSION_SIZE = 2,
	TAR_MAJOR = 329, TAR_MAJOR_SIZE = 8,
	TAR_MINOR = 337, TAR_MINOR_SIZE = 8,
	TAR_PREFIX = 345, TAR_PREFIX_SIZE = 155,
	TAR_HEADER_SIZE = 512,
};
#define TAR_MAGIC_TEXT "ustar"

/* The sum of all bytes, those of the checksum itself counted as blanks. */
static inline uint32_t tar_checksum(const uint8_t *record)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < TAR_HEADER_SIZE; i++)
		sum += i >= TAR_CHECKSUM && i < TAR_CHECKSUM + TAR_CHECKSUM_SIZE ? ' ' : record[i];
	return sum;
}

#endif
