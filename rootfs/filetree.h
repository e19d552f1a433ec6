/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_FILETREE_H
#define KILN_ROOTFS_FILETREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;
struct error;

/*
 * File trees as tar archives without compression (POSIX pax, GNU). An archive is read once for its
 * headers; what is kept of an entry is where it lies, so memory grows with the number of files and not with
 * their size. Refused, naming the archive and the entry: paths that are absolute or climb, entries
 * below something that is no directory, hard links to nothing. Of two entries for one path the later counts.
 */

struct filetree_node {
	char *path;			/* without "/" at either end */
	char *target;			/* of a symbolic link */
	int64_t position;		/* of its header in the archive; -1: a directory only implied */
	size_t data;			/* index of the node that has the contents: itself, or a hard link's */
	mode_t type;			/* S_IFREG, ... */
	bool whiteout, opaque;		/* overlayfs: "nothing here", "nothing from below" */
};

struct filetree {
	char *archive;
	int fd;
	struct filetree_node *nodes;	/* by path; a directory stands right before all that is below it */
	size_t count;
};

int filetree_open(const char *archive, struct filetree **ret, struct error *err);
void filetree_free(struct filetree *t);
void filetree_freep(struct filetree **t);
#define CLEANUP_FILETREE __attribute__((cleanup(filetree_freep)))

/* By exact path; NULL if absent. */
const struct filetree_node *filetree_find(const struct filetree *t, const char *path);
/*
 * The file that a path leads to, through symbolic links (as chroot would resolve them; at most 40).
 * ERROR_INPUT when there is none, or it is no regular file.
 */
int filetree_resolve(const struct filetree *t, const char *path, const struct filetree_node **ret, struct error *err);
/* Its contents, appended; -EFBIG in the error when they are more than ret->max. */
int filetree_read(const struct filetree *t, const struct filetree_node *node, struct buf *ret, struct error *err);
/* Likewise, into a new file. */
int filetree_copy_out(const struct filetree *t, const struct filetree_node *node, const char *path, struct error *err);

/*
 * Writes `lower` as it looks below `upper`, the tar of an overlayfs upper directory (with xattrs; features
 * index, metacopy and redirect_dir off), or alone. Sorted; missing directories added (root's, 0755); owners
 * by number; every time is `epoch`; of extended attributes only security.capability and user.* remain, by
 * name; names of one file stay names of one file. The same input gives the same bytes.
 */
struct filetree_merge {
	const char *lower, *upper;	/* upper may be NULL */
	const char *const *excluded;	/* "boot/": all below; "vmlinuz": this; NULL-terminated, or NULL */
	int64_t epoch;			/* seconds since 1970 */
	const char *output;
};
int filetree_merge(const struct filetree_merge *merge, struct error *err);

#endif
