/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_COMPARE_H
#define KILN_FACTORY_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct error;

/*
 * Are two images the same bytes, and if not, what differs first? "First" is meant as cause, not as
 * offset: a changed file in the root tree also changes the hash tree, the command line, the partition
 * ids and every measurement, and only the file is worth naming.
 */

/* In this order each part is made from those before it. */
enum compare_part {
	COMPARE_INPUTS,			/* what the manifests say went in */
	COMPARE_PACKAGES,
	COMPARE_ROOT,
	COMPARE_VERITY,
	COMPARE_BOOT_FILE,
	COMPARE_ESP,
	COMPARE_TABLE,
	COMPARE_DISK,			/* outside tables and partitions */
	COMPARE_MANIFEST,
	COMPARE_MEASUREMENTS,
};
extern const char *const compare_part_names[];

struct compare_finding {
	enum compare_part part;
	bool follows;			/* from an earlier finding: no cause of its own */
	char *text;			/* "etc/hostname: the contents differ at byte 3" */
};

/* What differs, in the order of the parts; nothing when the images are the same. */
struct comparison {
	struct compare_finding *findings;
	size_t count;
};
void comparison_clear(struct comparison *c);
#define CLEANUP_COMPARISON __attribute__((cleanup(comparison_clear)))

/* One of two images. Strings malloc'ed. */
struct compare_image {
	char *name;			/* as the user said it */
	char *disk;
	char *directory;		/* of the other results; NULL: there is nothing but the disk */
	char *tree;			/* the root tree that went into the disk, as a tar; NULL: not at hand */
};
void compare_image_clear(struct compare_image *image);
#define CLEANUP_COMPARE_IMAGE __attribute__((cleanup(compare_image_clear)))

/* `path` is a raw disk, or a directory of results. The root tree is looked for in `cache` (NULL: nowhere).
 * ERROR_INPUT: there is no such thing, or no one disk in the directory. */
int compare_image_open(const char *path, const char *cache, struct compare_image *ret,
		       struct error *err);

/* 0 also when they differ; *ret says. Memory does not grow with the disks, time with their data. */
int compare_images(const struct compare_image *a, const struct compare_image *b,
		   struct comparison *ret, struct error *err);

/* The first cause; NULL when the images are the same. */
const struct compare_finding *comparison_cause(const struct comparison *c);
/* A line for each finding. Errors as buf's. */
int comparison_table(const struct comparison *c, struct buf *ret);

#endif
