/* SPDX-License-Identifier: Apache-2.0 */
#include "ustar.h"

#include <stdlib.h>

#include <archive.h>
#include <archive_entry.h>

#include "../factory/base/buf.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/model/memory.h"

struct ustar {
	struct archive *archive;
	char *path;
};

static int write_error(const struct ustar *u, struct error *err)
{
	const char *why = archive_error_string(u->archive);

	return error_outside(err, "%s: %s", u->path, why ? why : "cannot be written");
}

int ustar_create(const char *path, struct ustar **ret, struct error *err)
{
	CLEANUP_USTAR struct ustar *u = memory_new(sizeof(*u));

	u->path = string_copy(path);
	u->archive = archive_write_new();
	if (!u->archive)
		error_no_memory();
	if (archive_write_set_format_ustar(u->archive) != ARCHIVE_OK ||
	    archive_write_add_filter_none(u->archive) != ARCHIVE_OK ||
	    archive_write_open_filename(u->archive, path) != ARCHIVE_OK)
		return write_error(u, err);
	*ret = TAKE_PTR(u);
	return 0;
}

int ustar_add(struct ustar *u, const char *name, mode_t mode, const void *data, size_t size,
	      struct error *err)
{
	struct archive_entry *entry = archive_entry_new();
	int r;

	if (!entry)
		error_no_memory();
	archive_entry_copy_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, mode);
	archive_entry_set_size(entry, (int64_t)size);
	archive_entry_set_mtime(entry, 0, 0);
	r = archive_write_header(u->archive, entry);
	archive_entry_free(entry);
	if (r != ARCHIVE_OK || (size > 0 && archive_write_data(u->archive, data, size) != (ssize_t)size))
		return write_error(u, err);
	return 0;
}

int ustar_finish(struct ustar *u, struct error *err)
{
	return archive_write_close(u->archive) == ARCHIVE_OK ? 0 : write_error(u, err);
}

void ustar_free(struct ustar *u)
{
	if (!u)
		return;
	(void)archive_write_free(u->archive);
	free(u->path);
	free(u);
}

void ustar_freep(struct ustar **u)
{
	ustar_free(*u);
}

/* ---------------------------------------------------------------- decompressing */

static void reader_free(struct archive **a)
{
	(void)archive_read_free(*a);
}

static int open_raw(struct archive *a, const void *data, size_t size)
{
	struct archive_entry *entry;

	if (archive_read_support_filter_gzip(a) != ARCHIVE_OK || archive_read_support_filter_xz(a) != ARCHIVE_OK ||
	    archive_read_support_filter_zstd(a) != ARCHIVE_OK || archive_read_support_format_raw(a) != ARCHIVE_OK ||
	    archive_read_open_memory(a, data, size) != ARCHIVE_OK)
		return -1;
	return archive_read_next_header(a, &entry) == ARCHIVE_OK ? 0 : -1;
}

int decompress(const void *data, size_t size, const char *name, struct buf *ret, struct error *err)
{
	__attribute__((cleanup(reader_free))) struct archive *a = archive_read_new();
	uint8_t block[65536];
	ssize_t n = 0;
	int r;

	if (!a)
		error_no_memory();
	/* libarchive calls no bytes an error. */
	if (size == 0)
		return 0;
	for (r = open_raw(a, data, size); r == 0 && (n = archive_read_data(a, block, sizeof(block))) > 0;)
		if (buf_add(ret, block, (size_t)n) < 0)
			return error_input(err, "%s: more than %zu bytes when decompressed", name, ret->max);
	if (r < 0 || n < 0)
		return error_input(err, "%s: %s", name,
				   archive_error_string(a) ? archive_error_string(a) : "cannot be decompressed");
	return 0;
}
