/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_IMAGE_FIELDS_H
#define KILN_UPLOAD_IMAGE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "form.h"
#include "tag.h"

struct error;
struct xml_node;

/* What RegisterImage is asked for, and what DescribeImages says of an image. Pure. */

#define IMAGE_NAME_MAX 128
#define IMAGE_DESCRIPTION_MAX 255
#define IMAGE_ROOT_DEVICE "/dev/xvda"

/* An image that starts by UEFI, with a NitroTPM, and answers IMDSv2 alone. */
struct image_request {
	const char *name, *description;
	const char *architecture;	/* EC2's name: "x86_64", "arm64" */
	const char *snapshot;
	uint32_t gib;			/* of the root volume, at least the snapshot's */
	const char *uefi_data;		/* base64; NULL: none */
	const struct tags *tags;
};

/* "x86_64" and "aarch64" as EC2 calls them; NULL: EC2 has no such machines. */
const char *image_architecture(const char *arch);
/* ERROR_INPUT: EC2 takes names of 3 to 128 letters, digits and ()[] ./-'@_ */
int image_check_name(const char *name, struct error *err);
void image_register_form(const struct image_request *q, struct form *ret);

/* Of one item of imagesSet. Texts are malloc'ed and never NULL. */
struct image {
	char *id, *name, *state, *reason, *created;
	char *snapshot;			/* of the root volume */
	char *image_tag, *disk_tag;	/* kiln:image and kiln:disk */
	char *architecture, *boot_mode, *tpm, *imds, *ena, *virtualization, *root_device, *volume_gib;
};
void image_parse(const struct xml_node *item, struct image *ret);
void image_clear(struct image *i);
#define CLEANUP_IMAGE __attribute__((cleanup(image_clear)))

/* ERROR_OUTSIDE: the image is not the one that was asked for; names the first field that differs. */
int image_check(const struct image *i, const struct image_request *q, struct error *err);

#endif
