/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_ESL_H
#define KILN_FORMAT_ESL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct error;

/* EFI signature lists (UEFI Specification 32.4.1). A variable's value is any number of lists. */

extern const uint8_t esl_guid_x509[16];		/* a5c059a1-94e4-4aa7-87b5-ab155c2bf072 */
extern const uint8_t esl_guid_sha256[16];	/* c1c41626-504c-4092-aca9-41f936934328 */
extern const uint8_t esl_guid_sha384[16];	/* ff3e5307-9fd0-48c9-85f1-8ad56c701e01 */
extern const uint8_t esl_guid_x509_sha256[16];	/* 3bd2a492-96c0-4079-b420-fcf98ef103ed */

struct esl_entry {
	uint8_t type[16];
	const uint8_t *owner;		/* 16 bytes, start of EFI_SIGNATURE_DATA */
	const uint8_t *data;		/* after the owner */
	size_t size;			/* of `data` */
};

/*
 * Walks all lists of a value; `each` is called per entry in order and may stop the walk by returning
 * non-zero, which becomes the result. Every size is checked against its list and every list against
 * the value (a value of several lists is walked whole). ERROR_INPUT names the offset.
 */
int esl_walk(const uint8_t *value, size_t size, int (*each)(const struct esl_entry *e, void *arg),
	     void *arg, struct error *err);

/* Appends a list of one entry; the buffer must have no limit. Certificates differ in size, so each has its own list. */
void esl_add(struct buf *b, const uint8_t type[static 16], const uint8_t owner[static 16], const uint8_t *data,
	     size_t size);

#endif
