/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_KEYS_ECDSA_H
#define KILN_KEYS_ECDSA_H

#include <stdint.h>

#include <openssl/evp.h>

struct buf;
struct error;

/*
 * ECDSA on P-256 with SHA-256 and the nonce of RFC 6979, so that a key and a message have one signature. OpenSSL does
 * that itself from 3.2 on; Kiln's own way gives the same bytes with any version.
 */

#define ECDSA_DIGEST_SIZE 32

/* Appends the signature, DER (RFC 3279, 2.2.3). `key` holds its private number. ERROR_OUTSIDE: OpenSSL failed. */
int ecdsa_sign(const EVP_PKEY *key, const uint8_t digest[static ECDSA_DIGEST_SIZE], struct buf *ret, struct error *err);

#endif
