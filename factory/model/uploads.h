/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_UPLOADS_H
#define KILN_MODEL_UPLOADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct json_node;
struct json_t;

/* What became of a disk in EC2: the part of a manifest that is written after the build. */

struct upload {
	char *region, *image, *snapshot;	/* "us-east-1", "ami-...", "snap-..." */
	char *name;			/* of the image */
	int64_t time;			/* when it was there, seconds since 1970 */
	bool proven;			/* a boot proof of this disk lay beside it */
};

struct uploads {
	struct upload *items;		/* in order of time */
	size_t count;
};

/* Copies what it is given, and takes the place of an earlier record of the same image. */
void uploads_add(struct uploads *u, const struct upload *upload);
void uploads_clear(struct uploads *u);

/* The key "uploads" of a manifest, which may be missing and is not written when there are none. */
int uploads_read(const struct json_node *root, struct uploads *ret, struct error *err);
void uploads_write(struct json_t *root, const struct uploads *u);

#endif
