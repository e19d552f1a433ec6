/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_GPT_FIELD_H
#define KILN_FORMAT_GPT_FIELD_H

#include <stdbool.h>
#include <stddef.h>

/* What a byte of a GPT's head (gpt.h, GPT_HEAD_SIZE) belongs to, for saying what differs between two. */

enum gpt_field_kind {
	GPT_FIELD_VALUE,	/* chosen by whoever made the disk */
	GPT_FIELD_CHECKSUM,	/* follows from other fields */
	GPT_FIELD_PLACE,	/* follows from sizes: sector numbers */
	GPT_FIELD_ID,		/* a partition's own id */
};

struct gpt_field {
	const char *name;		/* "disk id" */
	enum gpt_field_kind kind;
	unsigned int partition;		/* its number, from 1; 0: the field is the header's or the MBR's */
	size_t offset, size;		/* of the whole field in the head */
};

/* `offset` is below GPT_HEAD_SIZE; entries lie at sector 2, as everywhere. */
void gpt_field_at(size_t offset, struct gpt_field *ret);

#endif
