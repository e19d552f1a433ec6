/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_TESTS_UNIT_TREE_ARCHIVE_H
#define KILN_TESTS_UNIT_TREE_ARCHIVE_H

#include "factory/base/buf.h"
#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "factory/format/pax.h"
#include "factory/format/tar.h"
#include "tests/unit/tap.h"

/*
 * Trees as texts. One line an entry, "TYPE PATH ARGUMENT":
 *   d directory (0755), D private directory (0700), o opaque directory, w whiteout,
 *   f file with ARGUMENT as its contents, l symbolic link to it, h hard link to it, c character device, p FIFO
 */

__attribute__((unused))
static void tree_archive_add(struct buf *b, const struct tar_member *m, const void *data)
{
	need(tar_add_header(b, m) == 0 && buf_add(b, data, m->size) == 0 && buf_align(b, TAR_RECORD) == 0,
	     "memory for %s", m->path);
}

__attribute__((unused))
static void tree_archive_line(struct buf *b, char *line)
{
	static const struct tar_attribute opaque = { "trusted.overlay.opaque", "y", 1 };
	const char type = line[0];
	char *path = line + 2, *argument = strchr(path, ' ');
	struct tar_member m = { .mtime = 12345 };

	if (argument)
		*argument++ = '\0';
	m.path = path;
	m.type = type == 'f' ? TAR_FILE : type == 'h' ? TAR_HARD_LINK : type == 'l' ? TAR_SYMLINK :
		 type == 'c' || type == 'w' ? TAR_CHARACTER : type == 'p' ? TAR_FIFO : TAR_DIRECTORY;
	m.mode = m.type == TAR_FILE ? 0644 : type == 'D' ? 0700 : m.type == TAR_DIRECTORY ? 0755 :
		 m.type == TAR_SYMLINK ? 0777 : 0600;
	m.size = m.type == TAR_FILE && argument ? strlen(argument) : 0;
	m.link = type == 'h' || type == 'l' ? argument : NULL;
	m.major = type == 'c' ? 5 : 0;
	m.minor = type == 'c' ? 1 : 0;
	m.attributes = &opaque;
	m.attribute_count = type == 'o';
	tree_archive_add(b, &m, argument ? argument : "");
}

__attribute__((unused))
static void tree_archive_make(struct buf *b, const char *text)
{
	CLEANUP_FREE char *copy = string_copy(text);
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n")))
		if (*line)
			tree_archive_line(b, line);
	need(tar_add_end(b) == 0, "memory");
}

/* Attributes, as "{name=value,...} ", before the line of what they belong to. */
__attribute__((unused))
static void tree_archive_tell_pax(const uint8_t *data, size_t size, struct buf *ret)
{
	struct pax_record r;
	size_t offset = 0;

	while (pax_next(data, size, &offset, &r) > 0)
		need(buf_printf(ret, "{%.*s=%.*s} ", (int)r.key_size, r.key, (int)r.value_size, r.value) == 0, "memory");
}

/* The other way: "TYPE MODE PATH", " -> LINK" or " = CONTENTS". Times must all be the same. */
__attribute__((unused))
static void tree_archive_tell(const struct buf *b, struct buf *ret)
{
	struct tar_header h;
	size_t offset = 0;

	while (offset + TAR_RECORD <= b->len && tar_header_read(b->data + offset, &h) > 0) {
		const char *data = (const char *)b->data + offset + TAR_RECORD;

		offset += TAR_RECORD + (size_t)(h.size + TAR_RECORD - 1) / TAR_RECORD * TAR_RECORD;
		if (h.type == TAR_PAX) {
			tree_archive_tell_pax((const uint8_t *)data, h.size, ret);
			continue;
		}
		need(buf_printf(ret, "%c %o %s", h.type, h.mode, h.path) == 0, "memory");
		if (h.link[0])
			need(buf_printf(ret, " -> %s", h.link) == 0, "memory");
		if (h.type == TAR_FILE)
			need(buf_printf(ret, " = %.*s", (int)h.size, data) == 0, "memory");
		need(buf_add_string(ret, "\n") == 0, "memory");
	}
}

#endif
