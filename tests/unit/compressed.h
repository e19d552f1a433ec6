/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_TESTS_UNIT_COMPRESSED_H
#define KILN_TESTS_UNIT_COMPRESSED_H

#include <archive.h>
#include <archive_entry.h>

#include "factory/base/buf.h"
#include "tests/unit/tap.h"

static inline ssize_t compressed_write(struct archive *a, void *context, const void *data, size_t size)
{
	(void)a;
	return buf_add(context, data, size) == 0 ? (ssize_t)size : -1;
}

/* Appends the bytes compressed by one of libarchive's ARCHIVE_FILTER_*. */
static inline void compressed_add(int filter, const void *data, size_t size, struct buf *out)
{
	struct archive *a = archive_write_new();
	struct archive_entry *entry = archive_entry_new();

	need(a && entry, "memory");
	archive_entry_set_filetype(entry, AE_IFREG);
	need(archive_write_add_filter(a, filter) == ARCHIVE_OK && archive_write_set_format_raw(a) == ARCHIVE_OK &&
	     archive_write_set_bytes_in_last_block(a, 1) == ARCHIVE_OK &&
	     archive_write_open2(a, out, NULL, compressed_write, NULL, NULL) == ARCHIVE_OK &&
	     archive_write_header(a, entry) == ARCHIVE_OK &&
	     archive_write_data(a, data, size) == (ssize_t)size && archive_write_close(a) == ARCHIVE_OK,
	     "libarchive compresses: %s", archive_error_string(a) ? archive_error_string(a) : "");
	archive_entry_free(entry);
	archive_write_free(a);
}

#endif
