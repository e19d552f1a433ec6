/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_TREE_H
#define KILN_ROOTFS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tree_attribute.h"

struct buf;
struct error;

/*
 * The image's tree: an index over tar archives, which keep the files' data. Names are sorted bytewise by
 * component ("a", "a/b", "a-b"), as GNU tar's --sort=name has them. Of extended attributes,
 * security.capability, system.posix_acl_* and user.* are kept, sorted by name; of times, none.
 *
 * Paths are relative to the tree's root, "usr/lib/os-release"; "/" in front means the same. Symbolic links are
 * followed within the tree, at most 40, and never lead out of it: ".." of the root is the root.
 */
struct tree;

/* ERROR_INPUT for everything that is no tree (tree_archive.h); the archive stays open. */
int tree_open(const char *archive, struct tree **ret, struct error *err);
/*
 * What an overlay shows: `packages` below and above it `changes`, its upper directory as GNU tar packs it
 * with all extended attributes, where overlayfs' whiteouts and opaque directories hide what is below
 * (mounted without redirect_dir, metacopy and index).
 */
int tree_merge(const char *packages, const char *changes, struct tree **ret, struct error *err);
/* Of a finished system, as GNU tar packs it: whatever extended attributes there are are kept, and devices are as they
 * are. For looking at; tree_write() may refuse it. */
int tree_open_finished(const char *archive, struct tree **ret, struct error *err);
void tree_free(struct tree *t);
void tree_freep(struct tree **t);
#define CLEANUP_TREE __attribute__((cleanup(tree_freep)))

/*
 * The tree as one tar archive at `path`, every time `mtime`. `without` (NULL-terminated; may be NULL) leaves out
 * "NAME" with all below, or with "NAME/" only what is below. Of names that are hard links to each other the
 * first carries the data. The same tree gives the same bytes, whichever archives it came from.
 */
int tree_write(const struct tree *t, const char *path, int64_t mtime, const char *const *without,
	       struct error *err);

/* What is known of a name; hard links say of themselves what the file is. Everything belongs to the tree. */
struct tree_node {
	const char *path;		/* "" is the root */
	const char *link;		/* a symbolic link's target; else NULL */
	uint64_t size;			/* of a file */
	uint32_t mode, uid, gid;	/* mode: permissions alone */
	char type;			/* enum tar_type (format/tar.h), never TAR_HARD_LINK */
	bool again;			/* a hard link to a name that came before */
	const struct tree_attribute *attributes;	/* sorted by name */
	uint32_t attribute_count;
};

/* The next name of all, sorted, the root first; *position is 0 to begin with. False at the end. */
bool tree_next(const struct tree *t, size_t *position, struct tree_node *ret);
/* What there is at a path: behind all links, or, with `itself`, behind those of its directories alone. */
bool tree_stat(const struct tree *t, const char *path, bool itself, struct tree_node *ret);

/* Is there something, behind all links? */
bool tree_has(const struct tree *t, const char *path);
/* Appends a file's contents. ERROR_INPUT when there is no such file. */
int tree_read(const struct tree *t, const char *path, struct buf *ret, struct error *err);
/* `size` bytes from `offset` on, which must be there. */
int tree_read_part(const struct tree *t, const char *path, uint64_t offset, void *ret, size_t size,
		   struct error *err);
/* Writes them to a new file. */
int tree_copy(const struct tree *t, const char *path, const char *to, struct error *err);
/* The next name in a directory, sorted; *position is 0 to begin with. NULL at the end, or when it is no directory. */
const char *tree_list(const struct tree *t, const char *directory, size_t *position);

#endif
