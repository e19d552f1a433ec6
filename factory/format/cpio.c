/* SPDX-License-Identifier: Apache-2.0 */
#include "cpio.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define TRAILER "TRAILER!!!"

/* What differs between one record and the next. */
struct record {
	const char *path;
	uint32_t inode, mode, links;
	uint32_t major, minor; /* of a device node */
	const void *data;
	size_t size;
};

/* The kernel gives up on names that do not fit PATH_MAX, the NUL included, and on symlinks alike. */
static bool record_fits(const struct record *r)
{
	size_t limit = S_ISLNK(r->mode) ? PATH_MAX - 1 : UINT32_MAX;

	return strlen(r->path) < PATH_MAX && r->size <= limit;
}

static int add_record(struct buf *out, const struct record *r)
{
	size_t name_size = strlen(r->path) + 1;
	int e;

	/* ino mode uid gid nlink mtime filesize maj min rmaj rmin namesize chksum */
	e = buf_printf(out, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", r->inode,
		       r->mode, 0, 0, r->links, 0, (uint32_t)r->size, 0, 0, r->major, r->minor,
		       (uint32_t)name_size, 0);
	if (!e)
		e = buf_add(out, r->path, name_size);
	if (!e)
		e = buf_align(out, 4);
	if (!e && r->size)
		e = buf_add(out, r->data, r->size);
	if (!e)
		e = buf_align(out, 4);
	return e;
}

/* A record that does not fit leaves no half of itself behind. */
static int add_whole_record(struct buf *out, const struct record *r)
{
	size_t before = out->len;
	int e;

	if (!record_fits(r))
		return -EFBIG;
	e = add_record(out, r);
	if (e)
		buf_truncate(out, before);
	return e;
}

static int add_entry(struct cpio_writer *w, struct record r)
{
	int e;

	while (r.path[0] == '/')
		r.path++;
	r.inode = w->next_inode;
	e = add_whole_record(w->out, &r);
	if (!e)
		w->next_inode++;
	return e;
}

void cpio_begin(struct cpio_writer *w, struct buf *out)
{
	w->out = out;
	w->next_inode = 1;
}

int cpio_directory(struct cpio_writer *w, const char *path, mode_t mode)
{
	return add_entry(w, (struct record){.path = path,
					    .mode = S_IFDIR | (mode & 07777),
					    .links = 2});
}

int cpio_file(struct cpio_writer *w, const char *path, mode_t mode, const void *data, size_t size)
{
	return add_entry(w, (struct record){.path = path,
					    .mode = S_IFREG | (mode & 07777),
					    .links = 1,
					    .data = data,
					    .size = size});
}

int cpio_symlink(struct cpio_writer *w, const char *path, const char *target)
{
	return add_entry(w, (struct record){.path = path,
					    .mode = S_IFLNK | 0777,
					    .links = 1,
					    .data = target,
					    .size = strlen(target)});
}

int cpio_device(struct cpio_writer *w, const char *path, mode_t mode, uint32_t major,
		uint32_t minor)
{
	return add_entry(w, (struct record){.path = path,
					    .mode = S_IFCHR | (mode & 07777),
					    .links = 1,
					    .major = major,
					    .minor = minor});
}

int cpio_end(struct cpio_writer *w)
{
	struct record trailer = {.path = TRAILER, .links = 1};

	return add_whole_record(w->out, &trailer);
}
