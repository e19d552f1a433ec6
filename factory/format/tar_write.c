/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../base/buf.h"
#include "pax.h"
#include "tar.h"
#include "tar_fields.h"

/* All pax records of one member; Linux limits the names and values of attributes to 64 KiB each. */
#define PAX_MAX (1 << 20)
/* A path of Linux's, and "/" behind a directory's. */
#define PATH_SIZE_MAX 4097
/* What `digits` octal digits hold. */
#define OCTAL_LIMIT(digits) (UINT64_C(1) << 3 * (digits))
#define ID_LIMIT OCTAL_LIMIT(TAR_UID_SIZE - 1)
#define LENGTH_LIMIT OCTAL_LIMIT(TAR_LENGTH_SIZE - 1)

/* Where a path goes that ustar can hold: prefix, "/", name. */
struct split {
	size_t prefix;			/* its size; 0: none */
	const char *name;
};

static bool split_path(const char *path, struct split *ret)
{
	size_t size = strlen(path);

	if (size <= TAR_NAME_SIZE) {
		*ret = (struct split){ .name = path };
		return true;
	}
	/* The longest prefix first: a "/" at the very end belongs to the name. */
	for (size_t i = size - 2 < TAR_PREFIX_SIZE ? size - 2 : TAR_PREFIX_SIZE; i > 0; i--)
		if (path[i] == '/' && size - i - 1 <= TAR_NAME_SIZE) {
			*ret = (struct split){ .prefix = i, .name = path + i + 1 };
			return true;
		}
	return false;
}

/* ---------------------------------------------------------------- the header record */

static void put_octal(uint8_t *field, size_t width, uint64_t value)
{
	for (size_t i = width - 1; i-- > 0; value >>= 3)
		field[i] = (uint8_t)('0' + (value & 7));
}

/* What does not fit is in a pax record and 0 here. */
static void put_limited(uint8_t *field, size_t width, uint64_t value)
{
	put_octal(field, width, value < OCTAL_LIMIT(width - 1) ? value : 0);
}

static void put_text(uint8_t *field, size_t width, const char *text, size_t size)
{
	memcpy(field, text, size < width ? size : width);
}

static int add_record(struct buf *out, const struct tar_member *m, const char *path,
		      const struct split *split)
{
	uint8_t record[TAR_RECORD] = { 0 };

	put_text(record + TAR_NAME, TAR_NAME_SIZE, split->name, strlen(split->name));
	put_text(record + TAR_PREFIX, TAR_PREFIX_SIZE, path, split->prefix);
	if (m->link)
		put_text(record + TAR_LINK, TAR_LINK_SIZE, m->link, strlen(m->link));
	put_octal(record + TAR_MODE, TAR_MODE_SIZE, m->mode);
	put_limited(record + TAR_UID, TAR_UID_SIZE, m->uid);
	put_limited(record + TAR_GID, TAR_GID_SIZE, m->gid);
	put_limited(record + TAR_LENGTH, TAR_LENGTH_SIZE, m->size);
	put_octal(record + TAR_MTIME, TAR_MTIME_SIZE, (uint64_t)m->mtime);
	record[TAR_TYPE] = (uint8_t)m->type;
	memcpy(record + TAR_MAGIC, TAR_MAGIC_TEXT, TAR_MAGIC_SIZE);
	memcpy(record + TAR_VERSION, "00", TAR_VERSION_SIZE);
	put_octal(record + TAR_MAJOR, TAR_MAJOR_SIZE, m->major);
	put_octal(record + TAR_MINOR, TAR_MINOR_SIZE, m->minor);
	/* Six digits, NUL and blank: the one field that ends so. */
	put_octal(record + TAR_CHECKSUM, TAR_CHECKSUM_SIZE - 1, tar_checksum(record));
	record[TAR_CHECKSUM + TAR_CHECKSUM_SIZE - 1] = ' ';
	return buf_add(out, record, sizeof(record));
}

/* ---------------------------------------------------------------- pax records */

static int add_number(struct buf *pax, const char *key, uint64_t value, uint64_t limit)
{
	char text[24];

	if (value < limit)
		return 0;
	return pax_add(pax, key, text, (size_t)snprintf(text, sizeof(text), "%" PRIu64, value));
}

static int add_attribute(struct buf *pax, const struct tar_attribute *a)
{
	char key[sizeof("SCHILY.xattr.") + 256];
	int size = snprintf(key, sizeof(key), "SCHILY.xattr.%s", a->name);

	if (a->name[0] == '\0' || strchr(a->name, '=') || size < 0 || (size_t)size >= sizeof(key))
		return -EINVAL;
	return pax_add(pax, key, a->value, a->size);
}

static int add_records(struct buf *pax, const struct tar_member *m, const char *path, bool path_fits)
{
	int r = path_fits ? 0 : pax_add(pax, "path", path, strlen(path));

	if (r == 0 && m->link && strlen(m->link) > TAR_LINK_SIZE)
		r = pax_add(pax, "linkpath", m->link, strlen(m->link));
	if (r == 0)
		r = add_number(pax, "size", m->size, LENGTH_LIMIT);
	if (r == 0)
		r = add_number(pax, "uid", m->uid, ID_LIMIT);
	if (r == 0)
		r = add_number(pax, "gid", m->gid, ID_LIMIT);
	for (size_t i = 0; i < m->attribute_count && r == 0; i++)
		r = add_attribute(pax, &m->attributes[i]);
	return r;
}

/* The records as a member of their own, under a name that says what they are. */
static int add_pax_member(struct buf *out, const struct tar_member *about, const struct buf *pax)
{
	static const char name[] = "PaxHeaders";
	const struct tar_member m = {
		.path = name, .type = TAR_PAX, .mode = 0644, .size = pax->len, .mtime = about->mtime,
	};
	const struct split split = { .name = name };
	int r = add_record(out, &m, name, &split);

	if (r == 0)
		r = buf_add(out, pax->data, pax->len);
	if (r == 0)
		r = buf_fill(out, 0, (TAR_RECORD - pax->len % TAR_RECORD) % TAR_RECORD);
	return r;
}

/* ---------------------------------------------------------------- a member */

static bool expressible(const struct tar_member *m)
{
	const bool links = m->type == TAR_SYMLINK || m->type == TAR_HARD_LINK;

	return m->path[0] && strlen(m->path) < PATH_SIZE_MAX && m->mode <= 07777 && m->mtime >= 0 &&
	       (uint64_t)m->mtime < LENGTH_LIMIT && m->major < ID_LIMIT && m->minor < ID_LIMIT &&
	       (m->size == 0 || m->type == TAR_FILE) && links == (m->link && m->link[0]);
}

int tar_add_header(struct buf *out, const struct tar_member *member)
{
	CLEANUP_BUF struct buf pax = BUF_INIT(PAX_MAX);
	const size_t before = out->len;
	struct split split = { .name = "" };
	char path[PATH_SIZE_MAX + 1];
	bool fits;
	int r;

	if (!expressible(member))
		return -EINVAL;
	(void)snprintf(path, sizeof(path), "%s%s", member->path,
		       member->type == TAR_DIRECTORY ? "/" : "");
	fits = split_path(path, &split);
	if (!fits)
		split.name = path;
	r = add_records(&pax, member, path, fits);
	if (r == 0 && pax.len > 0)
		r = add_pax_member(out, member, &pax);
	if (r == 0)
		r = add_record(out, member, path, &split);
	if (r < 0)
		buf_truncate(out, before);
	return r;
}

int tar_add_end(struct buf *out)
{
	return buf_fill(out, 0, 2 * TAR_RECORD);
}
