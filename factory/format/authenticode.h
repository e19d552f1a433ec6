/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_AUTHENTICODE_H
#define KILN_FORMAT_AUTHENTICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "der.h"
#include "pe.h"

struct buf;
struct error;

/*
 * Signatures in PE images: Microsoft's "Windows Authenticode Portable Executable Signature Format", and the attribute
 * certificate table of the PE/COFF specification. The signature is a SignedData (signed_data.h) of an
 * SpcIndirectDataContent, which holds the image's digest (pe.h).
 */

/* Appends the contents of SpcIndirectDataContent for an image of this SHA-256 digest. No limit. */
void authenticode_content(const struct digest *digest, struct buf *ret);
/* The digest in such contents. ERROR_INPUT: they are not of that form, or the digest is neither SHA-256 nor SHA-384. */
int authenticode_content_digest(struct der content, struct digest *ret, struct error *err);

/* The next PKCS#7 entry of the certificate table from *at on (0 at first): DER, perhaps with zeros behind it; false at
 * the table's end, or where it is broken: firmware stops there, too. */
bool authenticode_next(const struct pe *image, size_t *at, struct der *ret);

/*
 * Appends the image without a certificate table, its directory entry zero, and with zeros up to a multiple of 8 bytes.
 * ERROR_INPUT: it has no such entry, or something behind the table. No limit.
 */
int authenticode_strip(const struct pe *image, struct buf *ret, struct error *err);

/*
 * Appends a table of one PKCS#7 blob with zeros up to `room` bytes for the blob, rounded up to 8, to a stripped image
 * that begins the buffer, and enters it in the image's header. The entry's length counts the zeros (EDK2 wants entries
 * to fill the table), so that its size does not depend on that of the signature inside. No limit.
 */
int authenticode_add(struct buf *image, const uint8_t *blob, size_t size, size_t room, struct error *err);

#endif
