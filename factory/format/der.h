/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_DER_H
#define KILN_FORMAT_DER_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct error;

/* ASN.1 in the Distinguished Encoding Rules (ITU-T X.690, 10), as far as signatures and certificates need it. */

#define DER_INTEGER 0x02
#define DER_BIT_STRING 0x03
#define DER_OCTET_STRING 0x04
#define DER_NULL 0x05
#define DER_OID 0x06
#define DER_SEQUENCE 0x30
#define DER_SET 0x31
#define DER_CONTEXT(n) (0xa0 | (n))	/* [n], constructed */

/* A stretch of bytes: the contents of one value, or values behind each other of which some are still to be read. */
struct der {
	const uint8_t *data;
	size_t size;
};

/*
 * Reading. der_next() takes the next value off *d, which must have this tag; *ret is its contents. der_next_whole()
 * gives the value with its tag and length. Lengths must be definite, shortest form, and lie inside. ERROR_INPUT;
 * `what` says what was looked for.
 */
int der_next(struct der *d, uint8_t tag, const char *what, struct der *ret, struct error *err);
int der_next_whole(struct der *d, uint8_t tag, const char *what, struct der *ret, struct error *err);
/* ERROR_INPUT when something is left. */
int der_end(const struct der *d, const char *what, struct error *err);
/* The tag of the next value; 0 at the end. */
uint8_t der_peek(const struct der *d);

/* Writing; the buffer must have no limit (SIZE_MAX). Abort for lack of memory. */
void der_add(struct buf *b, uint8_t tag, const void *data, size_t size);
/* Makes everything from offset `from` on the contents of a value. */
void der_wrap(struct buf *b, uint8_t tag, size_t from);
/* Bytes that are DER already. */
void der_add_raw(struct buf *b, const void *data, size_t size);

#endif
