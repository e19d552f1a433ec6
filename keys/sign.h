/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_KEYS_SIGN_H
#define KILN_KEYS_SIGN_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct error;
struct keyring;

/*
 * Authenticode signatures of PE images by a keyring's db key (format/authenticode.h has the form). The same image and
 * the same key give the same bytes: RSA with PKCS#1 v1.5, P-256 with RFC 6979; only a P-256 key behind PKCS#11 signs
 * otherwise each time, as its token likes. All append the whole signed image to `ret`, an empty buffer.
 */

/* An image that is signed already loses its signatures first. */
int sign_image(const struct keyring *k, const uint8_t *image, size_t size, struct buf *ret, struct error *err);

/*
 * The same in three steps, for a key that is elsewhere. sign_prepare() needs no private key and gives the image with
 * zeros where the signature goes, with everything else in its final place; sign_request() the bytes that are to be
 * signed (SHA-256 with RSA PKCS#1 v1.5 or ECDSA, e.g. "openssl dgst -sha256 -sign"); sign_attach() puts the
 * signature in.
 */
int sign_prepare(const struct keyring *k, const uint8_t *image, size_t size, struct buf *ret, struct error *err);
/* `prepared` may be signed, too. ERROR_INPUT when the certificate in it is not that of the keyring's db key. */
int sign_request(const struct keyring *k, const uint8_t *prepared, size_t size, struct buf *ret, struct error *err);
/* ERROR_INPUT when it is not the db key's signature of this image. */
int sign_attach(const struct keyring *k, const uint8_t *prepared, size_t size, const uint8_t *signature,
		size_t signature_size, struct buf *ret, struct error *err);

#endif
