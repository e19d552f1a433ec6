/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_TREE_ENTRY_H
#define KILN_ROOTFS_TREE_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tree_attribute.h"

struct error;

/* For tree*.c alone: names of a tree and what they lead to. A file's data stay in the archive it came in. */

struct tree_entry {
	char *path;			/* tree_path.h */
	char *link;			/* a symbolic link's target; of a hard link what it names */
	const struct tree_entry *origin;	/* of a hard link, in the end: the entry that is the file; else NULL */
	const struct tree_archive *archive;
	uint64_t offset, size;		/* a file's data in the archive */
	struct tree_attribute *attributes;	/* sorted by name */
	uint32_t attribute_count;
	uint32_t number;		/* how many came before in the archive */
	uint32_t uid, gid, mode, major, minor;
	char type;			/* enum tar_type */
	bool whiteout;			/* overlayfs: hides what is below it in the lower tree, and itself is nothing */
	bool opaque;			/* overlayfs: a directory that hides what the lower tree has in it */
};

void tree_entry_free(struct tree_entry *e);

/* What the name leads to: itself, but for hard links. */
static inline const struct tree_entry *tree_entry_file(const struct tree_entry *e)
{
	return e->origin ? e->origin : e;
}

#endif
