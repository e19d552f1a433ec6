/* SPDX-License-Identifier: Apache-2.0 */
#include "decompress.h"

#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"

#define BLOCK 65536

/* What kmod's users put behind ".ko". */
static const struct compression {
	const char *suffix;
	int (*support)(struct archive *a);
} compressions[] = {
	{ ".xz", archive_read_support_filter_xz },
	{ ".zst", archive_read_support_filter_zstd },
	{ ".gz", archive_read_support_filter_gzip },
};

static void reader_free(struct archive **a)
{
	(void)archive_read_free(*a);
}
#define CLEANUP_READER __attribute__((cleanup(reader_free)))

static const struct compression *find_compression(const char *name)
{
	const size_t size = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(compressions); i++) {
		size_t n = strlen(compressions[i].suffix);

		if (n < size && strcmp(name + size - n, compressions[i].suffix) == 0)
			return &compressions[i];
	}
	return NULL;
}

size_t decompress_suffix(const char *name)
{
	const struct compression *c = find_compression(name);

	return c ? strlen(c->suffix) : 0;
}

static int open_reader(struct archive *a, const struct compression *c, const void *data, size_t size)
{
	struct archive_entry *entry;

	/* A warning would mean that libarchive was built without it and wants to start the host's program. */
	if (c->support(a) != ARCHIVE_OK || archive_read_support_format_raw(a) != ARCHIVE_OK)
		return ARCHIVE_FATAL;
	if (archive_read_open_memory(a, data, size) != ARCHIVE_OK)
		return ARCHIVE_FATAL;
	return archive_read_next_header(a, &entry);
}

static int undo(const char *name, const struct compression *c, const void *data, size_t size,
		struct buf *ret, struct error *err)
{
	CLEANUP_READER struct archive *a = archive_read_new();
	uint8_t block[BLOCK];
	ssize_t n = -1;

	if (!a)
		error_no_memory();
	/* What is not compressed at all would come back as it is. */
	if (open_reader(a, c, data, size) == ARCHIVE_OK && archive_filter_count(a) > 1)
		while ((n = archive_read_data(a, block, sizeof(block))) > 0)
			if (buf_add(ret, block, (size_t)n) < 0)
				return error_input(err, "%s: decompressed it is larger than %zu bytes", name, ret->max);
	if (n < 0)
		return error_input(err, "%s: cannot be decompressed: %s", name,
				   archive_error_string(a) ? archive_error_string(a) : "it is not what its name says");
	return 0;
}

int decompress(const char *name, const void *data, size_t size, struct buf *ret, struct error *err)
{
	const struct compression *c = find_compression(name);

	if (c)
		return undo(name, c, data, size, ret, err);
	if (buf_add(ret, data, size) < 0)
		return error_input(err, "%s: it is larger than %zu bytes", name, ret->max);
	return 0;
}
