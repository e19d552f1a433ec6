/* SPDX-License-Identifier: Apache-2.0 */
#include "tar.h"

#include <errno.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/error.h"
#include "tar_fields.h"

_Static_assert(TAR_HEADER_SIZE == TAR_RECORD, "a header is one record");

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

/* GNU's way for what octal digits cannot hold: a byte 0x80, then the number, big-endian. */
static bool read_number(const uint8_t *field, size_t width, uint64_t *ret)
{
	uint64_t v = 0;

	if (!(field[0] & 0x80))
		return read_octal(field, width, ret);
	if (field[0] != 0x80)
		return false;
	for (size_t i = 1; i < width; i++) {
		if (v >> 56)
			return false;
		v = v << 8 | field[i];
	}
	*ret = v;
	return true;
}

static bool checksum_fits(const uint8_t *record)
{
	uint64_t expected;

	return read_octal(record + TAR_CHECKSUM, TAR_CHECKSUM_SIZE, &expected) &&
	       expected == tar_checksum(record);
}

static bool is_zero(const uint8_t *record)
{
	for (size_t i = 0; i < TAR_RECORD; i++)
		if (record[i])
			return false;
	return true;
}

static void read_names(const uint8_t *record, struct tar_header *ret)
{
	size_t len = strnlen((const char *)record + TAR_PREFIX, TAR_PREFIX_SIZE);
	size_t name = strnlen((const char *)record + TAR_NAME, TAR_NAME_SIZE);
	size_t link = strnlen((const char *)record + TAR_LINK, TAR_LINK_SIZE);

	memcpy(ret->path, record + TAR_PREFIX, len);
	if (len > 0)
		ret->path[len++] = '/';
	memcpy(ret->path + len, record + TAR_NAME, name);
	ret->path[len + name] = '\0';
	memcpy(ret->link, record + TAR_LINK, link);
	ret->link[link] = '\0';
}

static bool read_numbers(const uint8_t *record, struct tar_header *ret)
{
	uint64_t mode;

	if (!read_octal(record + TAR_MODE, TAR_MODE_SIZE, &mode) ||
	    !read_number(record + TAR_UID, TAR_UID_SIZE, &ret->uid) ||
	    !read_number(record + TAR_GID, TAR_GID_SIZE, &ret->gid) ||
	    !read_number(record + TAR_LENGTH, TAR_LENGTH_SIZE, &ret->size) ||
	    !read_number(record + TAR_MAJOR, TAR_MAJOR_SIZE, &ret->major) ||
	    !read_number(record + TAR_MINOR, TAR_MINOR_SIZE, &ret->minor))
		return false;
	ret->mode = (uint32_t)(mode & 07777);
	return true;
}

int tar_header_read(const uint8_t record[static TAR_RECORD], struct tar_header *ret)
{
	struct tar_header header = { .path = "" };

	if (is_zero(record))
		return 0;
	if (memcmp(record + TAR_MAGIC, TAR_MAGIC_TEXT, TAR_MAGIC_SIZE) || !checksum_fits(record) ||
	    !read_numbers(record, &header))
		return -EBADMSG;
	read_names(record, &header);
	header.type = (char)record[TAR_TYPE];
	if (header.type == '\0' || header.type == '7')
		header.type = TAR_FILE;
	*ret = header;
	return 1;
}

/* ---------------------------------------------------------------- from bytes */

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

static void clean_path(const char *path, char ret[static 257])
{
	size_t len;

	while (strncmp(path, "./", 2) == 0)
		path += 2;
	len = strlen(path);
	memcpy(ret, path, len + 1);
	while (len > 1 && ret[len - 1] == '/')
		ret[--len] = '\0';
}

int tar_next(const uint8_t *data, size_t size, size_t *offset, struct tar_entry *ret, struct error *err)
{
	struct tar_entry entry = { .path = "" };
	struct tar_header header;
	uint64_t end;
	int r;

	if (!range_fits(*offset, TAR_RECORD, size))
		return error_input(err, "tar archive: ends at byte %zu without its end mark", size);
	r = tar_header_read(data + *offset, &header);
	if (r == 0)
		return 0;
	if (r < 0)
		return error_input(err, "tar archive: no valid header at byte %zu", *offset);
	clean_path(header.path, entry.path);
	if (leaves_directory(entry.path))
		return error_input(err, "tar archive: the path \"%s\" at byte %zu leaves its directory",
				   entry.path, *offset);
	if (header.type != TAR_FILE && header.type != TAR_DIRECTORY)
		return error_input(err, "tar archive: \"%s\" at byte %zu is neither file nor directory",
				   entry.path, *offset);
	entry.directory = header.type == TAR_DIRECTORY;
	if (entry.directory)
		header.size = 0;
	if (!range_fits(*offset + TAR_RECORD, header.size, size) ||
	    !align_up(header.size, TAR_RECORD, &end))
		return error_input(err, "tar archive: \"%s\" at byte %zu ends beyond the archive",
				   entry.path, *offset);
	entry.data = data + *offset + TAR_RECORD;
	entry.size = (size_t)header.size;
	*offset += TAR_RECORD + (size_t)end;
	*ret = entry;
	return 1;
}
