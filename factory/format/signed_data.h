/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_SIGNED_DATA_H
#define KILN_FORMAT_SIGNED_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "der.h"

struct buf;
struct error;

/*
 * PKCS#7 SignedData (RFC 2315, 9) in the one form that Secure Boot needs: one signer, SHA-256, the signer's certificate
 * embedded, no time. The writer's bytes depend on nothing but what it is given; that is why no library writes them.
 */

#define SIGNED_DATA_CERTIFICATES_MAX 16

/* What is signed: 1.3.6.1.4.1.311.2.1.4 (SPC_INDIRECT_DATA) with its content inside, or data that is elsewhere. */
enum signed_content { SIGNED_DATA_ELSEWHERE, SIGNED_AUTHENTICODE };

enum signed_algorithm { SIGNED_RSA, SIGNED_ECDSA };

/* Of a certificate: what a signature calls its signer by (RFC 2315, 6.7), with tags. Points into the certificate. */
struct signed_issuer {
	struct der issuer, serial;
};
int signed_issuer_of(const uint8_t *certificate, size_t size, struct signed_issuer *ret, struct error *err);

struct signed_data {
	enum signed_content type;
	struct der content;		/* SIGNED_AUTHENTICODE: a SEQUENCE's contents; else empty */
	struct der certificates[SIGNED_DATA_CERTIFICATES_MAX];	/* whole */
	size_t certificate_count;
	struct signed_issuer signer;
	struct der attributes;		/* the contents of the SET; empty: the signature is of the data itself */
	enum signed_algorithm algorithm;
	struct der signature;
	bool wrapped;			/* in a ContentInfo */
};

/*
 * Strict: what signed_data_write() does not write is refused, but for more certificates than the signer's and for
 * attributes of any kind. What follows the value is not looked at; *ret_size is the value's size. Points into `data`.
 */
int signed_data_parse(const uint8_t *data, size_t size, struct signed_data *ret, size_t *ret_size, struct error *err);

/* Appends it; `ret` must have no limit. */
void signed_data_write(const struct signed_data *s, struct buf *ret);

/* Appends the contents of the attributes: content type and digest of the content. No limit. */
void signed_attributes_write(enum signed_content type, struct der content, struct buf *ret);
/* Appends the bytes that a signature of attributes is of: they as a SET (RFC 2315, 9.3). No limit. */
void signed_attributes_request(struct der attributes, struct buf *ret);

#endif
