/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_STORE_ARCHIVE_H
#define KILN_ROOTFS_STORE_ARCHIVE_H

#include <stdint.h>

#include "../factory/format/tar.h"

struct error;

/*
 * What carries images to another machine: a ustar archive of regular files and nothing else, in
 * the order of their names' bytes, so the locks come first:
 *
 *	images/NAME/kiln.lock	of each image
 *	store/ab/abcdef...	what the locks need, where it lies below a cache directory
 *
 * No I/O here. What an archive says is a stranger's word: names are of these two kinds or
 * refused, and only a name and a size leave this file.
 */

/* malloc'ed. */
char *store_archive_lock_path(const char *image);
char *store_archive_object_path(const char *sha256);

enum store_member_kind { STORE_MEMBER_END, STORE_MEMBER_LOCK, STORE_MEMBER_OBJECT };
struct store_member {
	enum store_member_kind kind;
	char name[101];			/* of the image, or the digest */
	uint64_t size;			/* bytes, at least 1; then zeros up to a whole record */
};

/* How far an archive has been read; zeroed to begin with. */
struct store_archive {
	char last[257];
};
/* What a header says. ERROR_INPUT: it is none, or of something that has no place here. Fuzzed. */
int store_archive_next(struct store_archive *archive, const uint8_t record[static TAR_RECORD],
		       struct store_member *ret, struct error *err);

#endif
