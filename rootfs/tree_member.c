/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../factory/base/buf.h"
#include "../factory/base/bytes.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/format/pax.h"
#include "../factory/format/tar.h"
#include "../factory/model/memory.h"
#include "tree_archive.h"
#include "tree_path.h"

/* All pax records of one member: paths of 4 KiB, attributes that Linux limits to 64 KiB each. */
#define PAX_MAX (1 << 20)
#define ATTRIBUTES_MAX 1024

#define XATTR "SCHILY.xattr."
#define OVERLAY XATTR "trusted.overlay."

/* A member while its headers are read. */
struct member {
	const struct tree_archive *archive;
	enum tree_kind kind;
	uint64_t start;			/* where its first header lies, for messages */
	struct tar_header header;
	struct buf pax;
	struct pax_record path, link;	/* of `pax`; value NULL when not given */
	struct tree_entry *entry;
};

static void member_clear(struct member *m)
{
	buf_free(&m->pax);
	tree_entry_free(m->entry);
}
#define CLEANUP_MEMBER __attribute__((cleanup(member_clear)))

static int refuse(const struct member *m, const char *what, struct error *err)
{
	return error_input(err, "%s: %s (member at byte %" PRIu64 ")", m->archive->name, what, m->start);
}

/* ---------------------------------------------------------------- attributes */

static bool starts(const struct pax_record *r, const char *prefix)
{
	return r->key_size >= strlen(prefix) && memcmp(r->key, prefix, strlen(prefix)) == 0;
}

static bool is_yes(const struct pax_record *r)
{
	return r->value_size == 1 && r->value[0] == 'y';
}

/* What overlayfs notes about its upper files (Documentation/filesystems/overlayfs.rst). */
static int take_overlay(struct member *m, const struct pax_record *r, struct error *err)
{
	if (pax_is(r, OVERLAY "opaque"))
		m->entry->opaque = is_yes(r);
	else if (pax_is(r, OVERLAY "whiteout"))
		m->entry->whiteout = true;	/* since Linux 6.7, if the file is empty */
	else if (pax_is(r, OVERLAY "redirect") || pax_is(r, OVERLAY "metacopy"))
		return refuse(m, "the overlay was mounted with redirect_dir or metacopy: what it keeps of a file is not the whole file", err);
	return 0;
}

static void add_attribute(struct tree_entry *e, const struct pax_record *r)
{
	const size_t skip = sizeof(XATTR) - 1;
	struct tree_attribute *a = memory_append(&e->attributes, e->attribute_count, sizeof(*a));

	a->name = string_printf("%.*s", (int)(r->key_size - skip), r->key + skip);
	a->value = memory_new(r->value_size + 1);
	memcpy(a->value, r->value, r->value_size);
	a->size = r->value_size;
	e->attribute_count++;
}

/* Capabilities, access control lists and the user's own belong to the file; the rest is about the system that it lay on. */
static bool belongs_to_file(const struct pax_record *r)
{
	return pax_is(r, XATTR "security.capability") || pax_is(r, XATTR "system.posix_acl_access") ||
	       pax_is(r, XATTR "system.posix_acl_default") || starts(r, XATTR "user.");
}

static int take_attribute(struct member *m, const struct pax_record *r, struct error *err)
{
	if (starts(r, OVERLAY) && m->kind != TREE_FINISHED)
		return take_overlay(m, r, err);
	if (m->kind != TREE_FINISHED && !belongs_to_file(r))
		return 0;
	/* GNU tar writes a '=' in a name as "%3D", others do not, and mkfs.erofs knows neither. */
	if (memchr(r->key, '%', r->key_size) || memchr(r->key, '\0', r->key_size))
		return refuse(m, "the name of an extended attribute has a '=', '%' or NUL in it", err);
	if (m->entry->attribute_count == ATTRIBUTES_MAX)
		return refuse(m, "too many extended attributes", err);
	add_attribute(m->entry, r);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct tree_attribute *)a)->name, ((const struct tree_attribute *)b)->name);
}

static int sort_attributes(const struct member *m, struct error *err)
{
	struct tree_attribute *a = m->entry->attributes;
	const uint32_t count = m->entry->attribute_count;

	if (count > 0)
		qsort(a, count, sizeof(*a), by_name);
	for (uint32_t i = 1; i < count; i++)
		if (strcmp(a[i - 1].name, a[i].name) == 0)
			return refuse(m, "an extended attribute is there twice", err);
	return 0;
}

/* ---------------------------------------------------------------- pax records */

/* An empty value takes an earlier one back, pax(1). */
static int take_number(const struct member *m, const struct pax_record *r, uint64_t *ret, struct error *err)
{
	return r->value_size == 0 || pax_number(r, ret) ? 0 :
		       refuse(m, "a size, uid or gid is not a number", err);
}

static int take_record(struct member *m, const struct pax_record *r, struct error *err)
{
	if (pax_is(r, "path"))
		m->path = *r;
	else if (pax_is(r, "linkpath"))
		m->link = *r;
	else if (pax_is(r, "size"))
		return take_number(m, r, &m->header.size, err);
	else if (pax_is(r, "uid"))
		return take_number(m, r, &m->header.uid, err);
	else if (pax_is(r, "gid"))
		return take_number(m, r, &m->header.gid, err);
	else if (starts(r, XATTR))
		return take_attribute(m, r, err);
	else if (starts(r, "GNU.sparse."))
		return refuse(m, "sparse files are not supported: pack without --sparse", err);
	return 0;
}

static int take_records(struct member *m, struct error *err)
{
	struct pax_record record;
	size_t offset = 0;
	int r = 0, more;

	while ((more = pax_next(m->pax.data, m->pax.len, &offset, &record)) > 0 && r == 0)
		r = take_record(m, &record, err);
	if (r == 0 && more < 0)
		return refuse(m, "its pax records are malformed", err);
	return r;
}

/* ---------------------------------------------------------------- headers */

static int read_header(const struct member *m, uint64_t offset, struct tar_header *ret, struct error *err)
{
	uint8_t record[TAR_RECORD];
	int r;

	if (!range_fits(offset, TAR_RECORD, m->archive->size))
		return refuse(m, "the archive ends without its end mark", err);
	r = io_pread_full(m->archive->fd, record, sizeof(record), offset, m->archive->name, err);
	if (r < 0)
		return r;
	r = tar_header_read(record, ret);
	return r < 0 ? refuse(m, "no valid header", err) : r;
}

/* The end of data that begin at `offset`, rounded up to whole records. */
static int find_end(const struct member *m, uint64_t offset, uint64_t size, uint64_t *ret,
		    struct error *err)
{
	uint64_t padded;

	if (!align_up(size, TAR_RECORD, &padded) || !range_fits(offset, padded, m->archive->size))
		return refuse(m, "its data end beyond the archive", err);
	*ret = offset + padded;
	return 0;
}

static int read_pax(struct member *m, uint64_t *offset, struct error *err)
{
	const uint64_t start = *offset, size = m->header.size;
	uint8_t *room;
	int r;

	if (size > PAX_MAX)
		return refuse(m, "more than 1 MiB of pax records", err);
	r = find_end(m, start, size, offset, err);
	if (r < 0)
		return r;
	r = buf_reserve(&m->pax, (size_t)size, &room);
	if (r < 0)
		return error_system(err, r, "%s", m->archive->name);
	r = io_pread_full(m->archive->fd, room, (size_t)size, start, m->archive->name, err);
	if (r < 0)
		return r;
	m->pax.len = (size_t)size;
	return 0;
}

/* Both headers, or the one; *offset moves to the data. 0 at the end. */
static int read_headers(struct member *m, uint64_t *offset, struct error *err)
{
	int r = read_header(m, *offset, &m->header, err);

	if (r <= 0)
		return r;
	*offset += TAR_RECORD;
	if (m->header.type != TAR_PAX)
		return 1;
	r = read_pax(m, offset, err);
	if (r == 0)
		r = read_header(m, *offset, &m->header, err);
	if (r == 0)
		return refuse(m, "pax records about nothing", err);
	*offset += TAR_RECORD;
	if (r > 0)
		r = take_records(m, err);
	return r < 0 ? r : 1;
}

/* ---------------------------------------------------------------- the entry */

static int set_path(const struct member *m, struct error *err)
{
	const char *path = m->path.value_size ? m->path.value : m->header.path;
	size_t size = m->path.value_size ? m->path.value_size : strlen(path);

	m->entry->path = tree_path_clean(path, size);
	if (!m->entry->path)
		return error_input(err, "%s: the path \"%.*s\" leaves the tree, or is none (member at byte %" PRIu64 ")",
				   m->archive->name, (int)(size < 512 ? size : 512), path, m->start);
	return 0;
}

static int set_link(const struct member *m, struct error *err)
{
	const char *link = m->link.value_size ? m->link.value : m->header.link;
	size_t size = m->link.value_size ? m->link.value_size : strlen(link);
	struct tree_entry *e = m->entry;

	if (e->type == TAR_HARD_LINK)
		e->link = tree_path_clean(link, size);
	else if (e->type == TAR_SYMLINK && size > 0 && size < PATH_MAX && !memchr(link, '\0', size))
		e->link = string_printf("%.*s", (int)size, link);
	else if (e->type != TAR_SYMLINK)
		return 0;
	return e->link ? 0 : error_input(err, "%s: the link %s leads to no path", m->archive->name, e->path);
}

static int set_numbers(const struct member *m, struct error *err)
{
	const struct tar_header *h = &m->header;
	struct tree_entry *e = m->entry;

	/* Linux: (uid_t)-1 is none, and device numbers have 12 and 20 bits. */
	if (h->uid >= UINT32_MAX || h->gid >= UINT32_MAX || h->major >= 1 << 12 || h->minor >= 1 << 20)
		return error_input(err, "%s: %s has an owner or a device number that Linux does not have",
				   m->archive->name, e->path);
	e->uid = (uint32_t)h->uid;
	e->gid = (uint32_t)h->gid;
	e->mode = h->mode;
	if (e->type == TAR_CHARACTER || e->type == TAR_BLOCK) {
		e->major = (uint32_t)h->major;
		e->minor = (uint32_t)h->minor;
	}
	return 0;
}

static int set_type(const struct member *m, struct error *err)
{
	struct tree_entry *e = m->entry;

	e->type = m->header.type;
	if (!memchr("0123456", e->type, 7))
		return error_input(err, "%s: %s is of a type that is neither ustar's nor pax's",
				   m->archive->name, e->path);
	if (e->path[0] == '\0' && e->type != TAR_DIRECTORY)
		return refuse(m, "the root of the tree is no directory", err);
	if (m->header.size > 0 && e->type != TAR_FILE)
		return error_input(err, "%s: %s has data and is no file", m->archive->name, e->path);
	return 0;
}

static int settle_overlay(const struct member *m, struct error *err)
{
	struct tree_entry *e = m->entry;
	const bool device = e->type == TAR_CHARACTER && e->major == 0 && e->minor == 0;

	if (m->kind == TREE_CHANGES) {
		e->whiteout = device || (e->whiteout && e->type == TAR_FILE && e->size == 0);
		e->opaque = e->opaque && e->type == TAR_DIRECTORY;
		return 0;
	}
	/* overlayfs hides it, in whatever layer. */
	if (device && m->kind == TREE_WHOLE)
		return error_input(err, "%s: %s is the character device 0:0, which no file system can show under an overlay",
				   m->archive->name, e->path);
	e->whiteout = e->opaque = false;
	return 0;
}

static int make_entry(struct member *m, uint64_t data, struct error *err)
{
	int r = set_path(m, err);

	m->entry->archive = m->archive;
	m->entry->offset = data;
	m->entry->size = m->header.size;
	if (r == 0)
		r = set_type(m, err);
	if (r == 0)
		r = set_link(m, err);
	if (r == 0)
		r = set_numbers(m, err);
	if (r == 0)
		r = sort_attributes(m, err);
	return r < 0 ? r : settle_overlay(m, err);
}

int tree_member_read(const struct tree_archive *a, enum tree_kind kind, uint64_t *offset,
		     struct tree_entry **ret, struct error *err)
{
	CLEANUP_MEMBER struct member m = {
		.archive = a, .kind = kind, .start = *offset, .pax = BUF_INIT(PAX_MAX),
		.entry = memory_new(sizeof(*m.entry)),
	};
	uint64_t data = *offset, end = 0;
	int r = read_headers(&m, &data, err);

	if (r <= 0)
		return r;
	r = make_entry(&m, data, err);
	if (r == 0)
		r = find_end(&m, data, m.header.size, &end, err);
	if (r < 0)
		return r;
	*offset = end;
	*ret = TAKE_PTR(m.entry);
	return 1;
}
