/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_COMPARE_IMAGE_H
#define KILN_FACTORY_COMPARE_IMAGE_H

struct error;

/* One of two images. Strings malloc'ed. */
struct compare_image {
	char *name;			/* as the user said it */
	char *disk;
	char *directory;		/* of the other results; NULL: there is nothing but the disk */
	char *packages;			/* file name in it; NULL: there is none */
	char *tree;			/* the root tree that went into the disk, as a tar; NULL: not at hand */
};
void compare_image_clear(struct compare_image *image);
#define CLEANUP_COMPARE_IMAGE __attribute__((cleanup(compare_image_clear)))

/* `path` is a raw disk, or a directory of results. The root tree is looked for in `cache` (NULL: nowhere).
 * ERROR_INPUT: there is no such thing, or no one disk in the directory. */
int compare_image_open(const char *path, const char *cache, struct compare_image *ret,
		       struct error *err);

#endif
