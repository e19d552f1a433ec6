/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_PKCS7_H
#define KILN_BASE_PKCS7_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Whom a PKCS#7 signature leads to, through OpenSSL and by the rules with which EDK2 asks it (BaseCryptLib,
 * Pkcs7Verify): a chain of embedded certificates from the signer to one trusted certificate, which need be no root;
 * times and purposes count for nothing.
 */

struct pkcs7;

/* A SignedData in a ContentInfo at the beginning of `data`; NULL when there is none. Lack of memory aborts. */
struct pkcs7 *pkcs7_open(const uint8_t *data, size_t size);
void pkcs7_free(struct pkcs7 *p);
void pkcs7_freep(struct pkcs7 **p);
#define CLEANUP_PKCS7 __attribute__((cleanup(pkcs7_freep)))

/* The content in it without tag and length; false when it is elsewhere. */
bool pkcs7_content(const struct pkcs7 *p, const uint8_t **ret, size_t *ret_size);
/* The embedded certificates, DER, by number; false beyond the last. Valid until the next call. */
bool pkcs7_certificate(struct pkcs7 *p, unsigned int number, const uint8_t **ret, size_t *ret_size);

/* Is it a signature of `content` by a signer whose chain leads to the trusted certificate? */
bool pkcs7_verifies(const struct pkcs7 *p, const uint8_t *content, size_t content_size, const uint8_t *trusted,
		    size_t trusted_size);
/* Does the chain lead there? The signature itself is not looked at. */
bool pkcs7_leads_to(const struct pkcs7 *p, const uint8_t *trusted, size_t trusted_size);

#endif
