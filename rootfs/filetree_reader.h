/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_FILETREE_READER_H
#define KILN_ROOTFS_FILETREE_READER_H

#include <archive.h>
#include <archive_entry.h>

#include "filetree.h"

/* Between the files of filetree.h: an archive read from any of its headers on. */

int filetree_compare_paths(const char *a, const char *b);

int filetree_reader_open(const struct filetree *t, int64_t position, struct archive **ret, struct error *err);
/* At one entry, whose header has been read. */
int filetree_reader_entry(const struct filetree *t, const struct filetree_node *node, struct archive **ret,
		      struct archive_entry **ret_entry, struct error *err);
int filetree_reader_error(const struct filetree *t, struct archive *a, struct error *err);
void filetree_reader_free(struct archive **a);
#define CLEANUP_FILETREE_READER __attribute__((cleanup(filetree_reader_free)))

#endif
