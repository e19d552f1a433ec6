/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_KEYS_CERTIFICATE_H
#define KILN_KEYS_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

struct buf;
struct error;

/* X.509 certificates of Secure Boot keys: self-signed, for signatures and nothing else. Only for keys/: OpenSSL's
 * types. */

struct certificate_facts {
	bool ecdsa;		/* P-256; else RSA of 2048 bits or more */
	size_t signature_max;	/* bytes of its longest signature; 0 for any other key */
	char subject[128];
	char not_after[32];	/* "2046-11-28 18:00:00 UTC" */
};

/* One certificate out of a PEM file, as DER into an empty buffer. ERROR_INPUT: no such file, no PEM certificate in
 * it. */
int certificate_read(const char *path, struct buf *ret, struct error *err);
/* What is in it, whether Kiln can sign with it or not. ERROR_INPUT: it is none. */
int certificate_describe(const uint8_t *der, size_t size, const char *name, struct certificate_facts *ret,
			 struct error *err);
/*
 * Can Kiln sign with its key, today? ERROR_INPUT: it has expired, is not yet valid, or its key is neither RSA of
 * 2048 to 4096 bits nor P-256. Messages begin with `name`.
 */
int certificate_check(const uint8_t *der, size_t size, const char *name, struct error *err);
/* Its public key; the caller frees it. ERROR_INPUT. */
int certificate_key(const uint8_t *der, size_t size, EVP_PKEY **ret, struct error *err);

struct certificate_request {
	const char *common_name;	/* at most 64 bytes, UTF-8 */
	unsigned int days;		/* from `begin` on */
	int64_t begin;			/* seconds since 1970 */
	bool code_signing;		/* extended key usage of db keys */
};
/* A certificate for the key, signed by the key itself with SHA-256, as PEM; appended. `context` is that of the key. */
int certificate_make(OSSL_LIB_CTX *context, EVP_PKEY *key, const struct certificate_request *request, struct buf *ret,
		     struct error *err);

#endif
