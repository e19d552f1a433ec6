/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_TREE_ARCHIVE_H
#define KILN_ROOTFS_TREE_ARCHIVE_H

#include "tree_entry.h"

/* For tree*.c alone: the index of one tar archive, which stays open for its data. */
struct tree_archive {
	char *name;			/* for messages */
	int fd;
	uint64_t size;
	struct tree_entry **all;	/* as they came */
	size_t all_count;
	struct tree_entry **entries;	/* the last of each name, sorted; borrowed of `all` */
	size_t count;
};
#define TREE_ARCHIVE_INIT { .fd = -1 }

/* Of whole trees, of what an overlay has above one, and of trees that are only looked at. */
enum tree_kind { TREE_WHOLE, TREE_CHANGES, TREE_FINISHED };

/*
 * ERROR_INPUT with archive and path: malformed; a path that leaves the tree or lies below what is no
 * directory; a hard link to what did not come before it. As tar has it: the last entry of a name counts,
 * and a hard link leads to what its target was when the link came. In a whole tree, directories that have no
 * entry are 0755 and root's.
 */
int tree_archive_open(const char *path, enum tree_kind kind, struct tree_archive *ret, struct error *err);
void tree_archive_close(struct tree_archive *a);
#define CLEANUP_TREE_ARCHIVE __attribute__((cleanup(tree_archive_close)))

/*
 * The next member's headers at *offset, which moves past its data. 1: *ret is new, with all but what other
 * entries decide; 0: the end (tree_member.c).
 */
int tree_member_read(const struct tree_archive *a, enum tree_kind kind, uint64_t *offset,
		     struct tree_entry **ret, struct error *err);

#endif
