/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_TREE_ENTRY_H
#define KILN_ROOTFS_TREE_ENTRY_H

#include <archive.h>
#include <archive_entry.h>

#include "tree.h"

/* Between the files of tree.h: an archive read from any of its headers on. */

int tree_compare_paths(const char *a, const char *b);

int tree_reader_open(const struct tree *t, int64_t position, struct archive **ret, struct error *err);
/* At one entry, whose header has been read. */
int tree_reader_entry(const struct tree *t, const struct tree_node *node, struct archive **ret,
		      struct archive_entry **ret_entry, struct error *err);
int tree_reader_error(const struct tree *t, struct archive *a, struct error *err);
void tree_reader_free(struct archive **a);
#define CLEANUP_TREE_READER __attribute__((cleanup(tree_reader_free)))

#endif
