/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_TAR_H
#define KILN_FORMAT_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct error;

/*
 * tar archives: ustar (POSIX.1-1988) and what pax (POSIX.1-2001, pax.h) adds to it. An archive is a row
 * of members, each a header record, its data, and zeros up to a whole record; then two zero records.
 */

#define TAR_RECORD 512

enum tar_type {
	TAR_FILE = '0', TAR_HARD_LINK = '1', TAR_SYMLINK = '2', TAR_CHARACTER = '3', TAR_BLOCK = '4',
	TAR_DIRECTORY = '5', TAR_FIFO = '6',
	TAR_PAX = 'x',			/* pax records about the member that follows */
};

/* ---------------------------------------------------------------- reading */

/* One header as it stands: names not cleaned, the type possibly none of the above. */
struct tar_header {
	char path[257];			/* prefix "/" name */
	char link[101];
	char type;			/* '\0' and '7' are told as TAR_FILE */
	uint32_t mode;			/* permissions alone */
	uint64_t uid, gid, size;	/* octal, or GNU's base 256 */
	uint64_t major, minor;
};

/* 1: *ret is filled; 0: a zero record, the archive's end; -EBADMSG: no valid header. */
int tar_header_read(const uint8_t record[static TAR_RECORD], struct tar_header *ret);

/*
 * A ustar archive out of bytes: what stages hand each other. Files and directories; any other kind of
 * entry is refused by name.
 */
struct tar_entry {
	char path[257];			/* leading "./" and trailing "/" removed */
	bool directory;
	const uint8_t *data;		/* into the caller's bytes */
	size_t size;
};

/*
 * The entry at *offset (0 to begin with), which moves past it. 1: *ret is filled; 0: end of the archive.
 * ERROR_INPUT: a header whose checksum is wrong, data that ends early, a path that leaves the
 * directory; names the offset. Fuzzed.
 */
int tar_next(const uint8_t *data, size_t size, size_t *offset, struct tar_entry *ret, struct error *err);

/* ---------------------------------------------------------------- writing */

/* An extended attribute, as SCHILY.xattr.NAME. */
struct tar_attribute {
	const char *name;		/* without '=' */
	const void *value;
	size_t size;
};

struct tar_member {
	const char *path;		/* directories, too, without "/" behind */
	enum tar_type type;
	uint32_t mode;
	uint64_t uid, gid, size;	/* size: of a file */
	int64_t mtime;			/* from 1970 to 2242 */
	uint32_t major, minor;
	const char *link;		/* of both kinds of links; else NULL */
	const struct tar_attribute *attributes;
	size_t attribute_count;
};

/*
 * The header of a member, led by pax records only where ustar cannot say it. Nothing else reaches the
 * bytes. A file's data, and the zeros behind them, are the caller's to add. -EINVAL: not expressible.
 */
int tar_add_header(struct buf *out, const struct tar_member *member);
int tar_add_end(struct buf *out);

#endif
