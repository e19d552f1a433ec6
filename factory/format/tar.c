/* SPDX-License-Identifier: Apache-2.0 */
#include "tar.h"

#include <string.h>

#include "../base/bytes.h"
#include "../base/error.h"

#define RECORD 512

/* Fields of a header: offset and width. */
enum {
	NAME = 0, NAME_SIZE = 100,
	LENGTH = 124, LENGTH_SIZE = 12,
	CHECKSUM = 148, CHECKSUM_SIZE = 8,
	TYPE = 156,
	MAGIC = 257, MAGIC_SIZE = 5,	/* GNU tar writes a blank where ustar has a NUL after it */
	PREFIX = 345, PREFIX_SIZE = 155,
};

/* Octal digits, ended by NUL or blank; false for anything else. */
static bool read_octal(const uint8_t *field, size_t width, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;

	while (i < width && field[i] == ' ')
		i++;
	for (; i < width && field[i] >= '0' && field[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(field[i] - '0');
	if (i < width && field[i] != ' ' && field[i] != '\0')
		return false;
	*ret = v;
	return true;
}

static bool checksum_fits(const uint8_t *header)
{
	uint64_t expected, sum = 0;

	if (!read_octal(header + CHECKSUM, CHECKSUM_SIZE, &expected))
		return false;
	for (size_t i = 0; i < RECORD; i++) {
		bool own = i >= CHECKSUM && i < CHECKSUM + CHECKSUM_SIZE;

		sum += own ? ' ' : header[i];
	}
	return sum == expected;
}

static bool is_zero(const uint8_t *record)
{
	for (size_t i = 0; i < RECORD; i++)
		if (record[i])
			return false;
	return true;
}

static bool leaves_directory(const char *path)
{
	if (path[0] == '/')
		return true;
	for (const char *p = path; p; p = strchr(p, '/')) {
		if (*p == '/')
			p++;
		if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || p[2] == '\0'))
			return true;
	}
	return false;
}

static void read_path(const uint8_t *header, char ret[static 257])
{
	size_t len = strnlen((const char *)header + PREFIX, PREFIX_SIZE);
	size_t name = strnlen((const char *)header + NAME, NAME_SIZE);
	size_t skip = 0;

	memcpy(ret, header + PREFIX, len);
	if (len > 0)
		ret[len++] = '/';
	memcpy(ret + len, header + NAME, name);
	len += name;
	ret[len] = '\0';
	while (strncmp(ret + skip, "./", 2) == 0)
		skip += 2;
	len -= skip;
	memmove(ret, ret + skip, len + 1);
	while (len > 1 && ret[len - 1] == '/')
		ret[--len] = '\0';
}

int tar_next(const uint8_t *data, size_t size, size_t *offset, struct tar_entry *ret, struct error *err)
{
	struct tar_entry entry = { .path = "" };
	const uint8_t *header;
	uint64_t length, end;
	char type;

	if (!range_fits(*offset, RECORD, size))
		return error_input(err, "tar archive: ends at byte %zu without its end mark", size);
	header = data + *offset;
	if (is_zero(header))
		return 0;
	if (memcmp(header + MAGIC, "ustar", MAGIC_SIZE) || !checksum_fits(header) ||
	    !read_octal(header + LENGTH, LENGTH_SIZE, &length))
		return error_input(err, "tar archive: no valid header at byte %zu", *offset);
	read_path(header, entry.path);
	if (leaves_directory(entry.path))
		return error_input(err, "tar archive: the path \"%s\" at byte %zu leaves its directory",
				   entry.path, *offset);
	type = (char)header[TYPE];
	if (type != '0' && type != '\0' && type != '5')
		return error_input(err, "tar archive: \"%s\" at byte %zu is neither file nor directory",
				   entry.path, *offset);
	entry.directory = type == '5';
	if (entry.directory)
		length = 0;
	if (!range_fits(*offset + RECORD, length, size) || !align_up(length, RECORD, &end))
		return error_input(err, "tar archive: \"%s\" at byte %zu ends beyond the archive",
				   entry.path, *offset);
	entry.data = header + RECORD;
	entry.size = (size_t)length;
	*offset += RECORD + (size_t)end;
	*ret = entry;
	return 1;
}
