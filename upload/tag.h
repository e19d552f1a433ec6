/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_TAG_H
#define KILN_UPLOAD_TAG_H

#include <stddef.h>

struct argument_list;
struct error;

/*
 * The tags that a snapshot and an image have from the moment they are made. Kiln's own say what they are of, and are how
 * "list" and "prune" know them.
 */
#define TAG_NAME "Name"
#define TAG_IMAGE "kiln:image"		/* the manifest's name */
#define TAG_DISK "kiln:disk"		/* data digest of the disk */
#define TAG_PROVEN "kiln:proven"	/* "yes", or "no": it went without a boot proof */

#define TAGS_MAX 50			/* AWS's limit for a resource */
#define TAG_KEY_MAX 128
#define TAG_VALUE_MAX 256

struct tag {
	char *key, *value;
};
struct tags {
	struct tag items[TAGS_MAX];
	size_t count;
};
#define TAGS_INIT { .count = 0 }
void tags_free(struct tags *t);
#define CLEANUP_TAGS __attribute__((cleanup(tags_free)))

/* Kiln's, and "KEY=VALUE" as given by --tag. ERROR_INPUT: no such text, too long, a key twice or of Kiln's or AWS's own. */
int tags_make(const char *name, const char *image, const char *disk, const char *proven,
	      const struct argument_list *given, struct tags *ret, struct error *err);

#endif
