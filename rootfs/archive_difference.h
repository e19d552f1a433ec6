/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_ARCHIVE_DIFFERENCE_H
#define KILN_ROOTFS_ARCHIVE_DIFFERENCE_H

#include <stddef.h>

struct error;

/* A tar or cpio archive, compressed or not: a file, or bytes in memory when `path` is NULL. */
struct archive_source {
	const char *path;
	const void *data;
	size_t size;
	const char *name;		/* for messages: "the first archive" */
};

/*
 * The first difference between two archives of one tree, as a sentence that begins with the member:
 * "etc/hostname: the contents differ at byte 3". Members are compared in the archive's order, by their
 * attributes first and then their contents; the archives' own framing (padding, header dialect) is not
 * looked at. *ret (malloc'ed) is NULL when every member is the same. Reads as a stream, so memory does not
 * grow with the archives.
 */
int archive_difference(const struct archive_source *a, const struct archive_source *b, char **ret,
		       struct error *err);

#endif
