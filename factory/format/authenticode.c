/* SPDX-License-Identifier: Apache-2.0 */
#include "authenticode.h"

#include <string.h>

#include "../base/buf.h"
#include "../base/bytes.h"
#include "../base/cleanup.h"
#include "../base/error.h"

/* WIN_CERTIFICATE (PE/COFF, "The Attribute Certificate Table"). */
#define CERTIFICATE_HEADER_SIZE 8
#define CERTIFICATE_ALIGNMENT 8
#define CERTIFICATE_REVISION 0x0200
#define CERTIFICATE_PKCS7 0x0002

/* 1.3.6.1.4.1.311.2.1.15 */
static const uint8_t oid_pe_image_data[] = { 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x01, 0x0f };
/* SpcPeImageData: no flags, and an SpcLink to a file with an empty name. */
static const uint8_t pe_image_data[] = { DER_BIT_STRING, 1, 0, DER_CONTEXT(0), 4, DER_CONTEXT(2), 2, 0x80, 0 };

/* 2.16.840.1.101.3.4.2.1 and .2 */
static const uint8_t digest_oids[DIGEST_ALGS][9] = {
	[DIGEST_SHA256] = { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01 },
	[DIGEST_SHA384] = { 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02 },
};

/* ---------------------------------------------------------------- the content */

void authenticode_content(const struct digest *digest, struct buf *ret)
{
	size_t from = ret->len;

	der_add(ret, DER_OID, oid_pe_image_data, sizeof(oid_pe_image_data));
	der_add(ret, DER_SEQUENCE, pe_image_data, sizeof(pe_image_data));
	der_wrap(ret, DER_SEQUENCE, from);
	from = ret->len;
	der_add(ret, DER_OID, digest_oids[digest->alg], sizeof(digest_oids[0]));
	der_add(ret, DER_NULL, "", 0);
	der_wrap(ret, DER_SEQUENCE, from);
	der_add(ret, DER_OCTET_STRING, digest->bytes, digest_size(digest->alg));
	der_wrap(ret, DER_SEQUENCE, from);
}

static int find_alg(struct der oid, enum digest_alg *ret, struct error *err)
{
	for (int alg = 0; alg < DIGEST_ALGS; alg++)
		if (oid.size == sizeof(digest_oids[0]) && memcmp(oid.data, digest_oids[alg], oid.size) == 0) {
			*ret = (enum digest_alg)alg;
			return 0;
		}
	return error_input(err, "the signature's digest of the image is neither SHA-256 nor SHA-384");
}

int authenticode_content_digest(struct der content, struct digest *ret, struct error *err)
{
	struct der type, info, algorithm, oid, bytes;
	enum digest_alg alg = DIGEST_SHA256;
	int r = der_next(&content, DER_SEQUENCE, "SpcIndirectDataContent's type", &type, err);

	if (r == 0)
		r = der_next(&content, DER_SEQUENCE, "SpcIndirectDataContent's digest", &info, err);
	if (r == 0)
		r = der_end(&content, "SpcIndirectDataContent", err);
	if (r == 0)
		r = der_next(&info, DER_SEQUENCE, "digest's algorithm", &algorithm, err);
	if (r == 0)
		r = der_next(&algorithm, DER_OID, "digest's algorithm", &oid, err);
	if (r == 0)
		r = find_alg(oid, &alg, err);
	if (r == 0)
		r = der_next(&info, DER_OCTET_STRING, "digest", &bytes, err);
	if (r == 0)
		r = der_end(&info, "SpcIndirectDataContent's digest", err);
	if (r == 0 && bytes.size != digest_size(alg))
		r = error_input(err, "the signature's digest of the image has %zu bytes", bytes.size);
	if (r < 0)
		return r;
	*ret = (struct digest) { .alg = alg };
	memcpy(ret->bytes, bytes.data, bytes.size);
	return 0;
}

/* ---------------------------------------------------------------- the table */

bool authenticode_next(const struct pe *image, size_t *at, struct der *ret)
{
	const uint8_t *table = image->data + image->security_offset;
	size_t size = image->security_size;

	while (size - *at > CERTIFICATE_HEADER_SIZE) {
		const uint8_t *certificate = table + *at;
		uint32_t length = read_le32(certificate);
		uint64_t step;

		if (length <= CERTIFICATE_HEADER_SIZE || length > size - *at)
			return false;
		(void)align_up(length, CERTIFICATE_ALIGNMENT, &step);
		*at = step < size - *at ? *at + step : size;
		if (read_le16(certificate + 6) != CERTIFICATE_PKCS7)
			continue;
		*ret = (struct der) { certificate + CERTIFICATE_HEADER_SIZE, length - CERTIFICATE_HEADER_SIZE };
		return true;
	}
	return false;
}

int authenticode_strip(const struct pe *image, struct buf *ret, struct error *err)
{
	size_t size = image->security_size > 0 ? image->security_offset : image->size;

	if (image->security_entry_offset == 0)
		return error_input(err, "the PE image's header has no room for a signature");
	if (image->security_size > 0 && (uint64_t)image->security_offset + image->security_size != image->size)
		return error_input(err, "the PE image has something behind its signatures, which end at 0x%x",
				   image->security_offset + image->security_size);
	if (size < image->size_of_headers)
		return error_input(err, "the PE image's signatures lie in its headers");
	if (buf_add(ret, image->data, size) < 0 || buf_align(ret, CERTIFICATE_ALIGNMENT) < 0)
		error_no_memory();
	memset(ret->data + image->security_entry_offset, 0, 8);
	return 0;
}

int authenticode_add(struct buf *image, const uint8_t *blob, size_t size, size_t room, struct error *err)
{
	size_t at = image->len;
	uint64_t length = 0;
	struct pe pe;
	int r = pe_parse(image->data, image->len, &pe, err);

	if (r < 0)
		return r;
	if (pe.security_entry_offset == 0 || pe.security_size > 0 || at % CERTIFICATE_ALIGNMENT != 0 || size > room ||
	    !align_up(room + CERTIFICATE_HEADER_SIZE, CERTIFICATE_ALIGNMENT, &length) ||
	    length > UINT32_MAX || at > UINT32_MAX - length)
		return error_input(err, "the PE image cannot take a signature of %zu bytes", size);
	if (buf_add_le32(image, (uint32_t)length) < 0 || buf_add_le16(image, CERTIFICATE_REVISION) < 0 ||
	    buf_add_le16(image, CERTIFICATE_PKCS7) < 0 || buf_add(image, blob, size) < 0 ||
	    buf_fill(image, 0, length - CERTIFICATE_HEADER_SIZE - size) < 0)
		error_no_memory();
	write_le32(image->data + pe.security_entry_offset, (uint32_t)at);
	write_le32(image->data + pe.security_entry_offset + 4, (uint32_t)length);
	return 0;
}
