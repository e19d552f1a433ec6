/* SPDX-License-Identifier: Apache-2.0 */
#include "cpio_read.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/error.h"

#define HEADER 110			/* magic and 13 fields of 8 hex digits */
#define TRAILER "TRAILER!!!"

enum field { MODE = 1, FILE_SIZE = 6, NAME_SIZE = 11 };

static bool read_field(const uint8_t *header, enum field field, uint32_t *ret)
{
	const uint8_t *digits = header + 6 + 8 * field;
	uint32_t value = 0;

	for (int i = 0; i < 8; i++) {
		const uint8_t c = digits[i];

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value = value << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return false;
	}
	*ret = value;
	return true;
}

/* Both with and without checksums. */
static bool has_magic(const uint8_t *data, size_t size, size_t at)
{
	return range_fits(at, HEADER, size) &&
	       (memcmp(data + at, "070701", 6) == 0 || memcmp(data + at, "070702", 6) == 0);
}

static int refuse(size_t at, const char *what, struct error *err)
{
	return error_input(err, "the cpio entry at byte %zu %s", at, what);
}

static int read_entry(const uint8_t *data, size_t size, size_t *offset, struct cpio_entry *ret, struct error *err)
{
	const size_t start = *offset;
	const uint8_t *header = data + start;
	uint64_t end_of_name, end;
	uint32_t name_size = 0;

	if (!read_field(header, MODE, &ret->mode) || !read_field(header, FILE_SIZE, &ret->size) ||
	    !read_field(header, NAME_SIZE, &name_size))
		return refuse(start, "has no valid header", err);
	if (name_size == 0 || !range_fits(start + HEADER, name_size, size) || header[HEADER + name_size - 1] != '\0')
		return refuse(start, "has no valid name", err);
	if (!align_up((uint64_t)start + HEADER + name_size, 4, &end_of_name) || !range_fits(end_of_name, ret->size, size))
		return refuse(start, "ends beyond its archive", err);
	ret->name = (const char *)header + HEADER;
	ret->data = data + end_of_name;
	/* The last one's padding may be cut off. */
	if (!align_up(end_of_name + ret->size, 4, &end) || end > size)
		end = size;
	*offset = (size_t)end;
	return 1;
}

int cpio_next(const uint8_t *data, size_t size, size_t *offset, struct cpio_entry *ret, struct error *err)
{
	int r;

	do {
		while (*offset < size && data[*offset] == 0)
			(*offset)++;
		if (*offset == size)
			return 0;
		if (!has_magic(data, size, *offset))
			return -ENOMSG;
		r = read_entry(data, size, offset, ret, err);
	} while (r > 0 && strcmp(ret->name, TRAILER) == 0);
	return r;
}
