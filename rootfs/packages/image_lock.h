/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_IMAGE_LOCK_H
#define KILN_ROOTFS_PACKAGES_IMAGE_LOCK_H

#include <stddef.h>

#include "../../factory/base/buf.h"
#include "../../factory/model/lock.h"

struct error;

/* The locks that are spoken of to the store, each of one image. */
struct image_lock {
	char *name;		/* of the image, or where that is not known what the user called it */
	char *path;		/* of the file; NULL: it came out of an archive */
	struct buf text;	/* the file's own bytes, LOCK_TEXT_MAX at most */
	struct lock *lock;
};
struct image_locks {
	struct image_lock *items;
	size_t count;
};
#define IMAGE_LOCKS_INIT { .items = NULL }
/* Of one lock: a hundred times what an image has. */
#define LOCK_TEXT_MAX ((size_t)16 << 20)

/* Adds the lock at `place`: a description's directory with a kiln.lock in it, or a lock file.
 * ERROR_INPUT without one. */
int image_locks_add(struct image_locks *locks, const char *place, struct error *err);
/* Adds the lock of a description, under the image's name; ERROR_INPUT where it does not fit the
 * description, or where another image has that name. */
int image_locks_add_described(struct image_locks *locks, const char *directory, struct error *err);
/* NULL if there is none of that name. */
struct image_lock *image_locks_find(const struct image_locks *locks, const char *name);

void image_locks_free(struct image_locks *locks);
#define CLEANUP_IMAGE_LOCKS __attribute__((cleanup(image_locks_free)))

#endif
