/* SPDX-License-Identifier: Apache-2.0 */
#include "signed_data.h"

#include <string.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/digest.h"
#include "../base/error.h"

#define OID(...) { (const uint8_t[]) { __VA_ARGS__ }, sizeof((const uint8_t[]) { __VA_ARGS__ }) }

static const struct der oid_signed_data = OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02);
static const struct der oid_data = OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01);
static const struct der oid_indirect_data = OID(0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x01, 0x04);
static const struct der oid_content_type = OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03);
static const struct der oid_message_digest = OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04);
static const struct der oid_sha256 = OID(0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01);
static const struct der oid_rsa = OID(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01);
static const struct der oid_ecdsa_sha256 = OID(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02);

static const uint8_t version_1 = 1;

static bool same(struct der a, struct der b)
{
	return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

/* ---------------------------------------------------------------- reading */

int signed_issuer_of(const uint8_t *certificate, size_t size, struct signed_issuer *ret, struct error *err)
{
	struct der all = { certificate, size }, body, tbs, skipped;
	struct signed_issuer found;
	int r = der_next(&all, DER_SEQUENCE, "certificate", &body, err);

	if (r == 0)
		r = der_next(&body, DER_SEQUENCE, "certificate's body", &tbs, err);
	if (r == 0 && der_peek(&tbs) == DER_CONTEXT(0))
		r = der_next(&tbs, DER_CONTEXT(0), "certificate's version", &skipped, err);
	if (r == 0)
		r = der_next_whole(&tbs, DER_INTEGER, "certificate's serial number", &found.serial, err);
	if (r == 0)
		r = der_next(&tbs, DER_SEQUENCE, "certificate's algorithm", &skipped, err);
	if (r == 0)
		r = der_next_whole(&tbs, DER_SEQUENCE, "certificate's issuer", &found.issuer, err);
	if (r < 0)
		return r;
	*ret = found;
	return 0;
}

static int expect_version(struct der *d, const char *what, struct error *err)
{
	struct der version;
	int r = der_next(d, DER_INTEGER, what, &version, err);

	if (r == 0 && (version.size != 1 || version.data[0] != version_1))
		r = error_input(err, "%s is not 1", what);
	return r;
}

/* An AlgorithmIdentifier: its OID; parameters are NULL or absent. */
static int read_algorithm(struct der *d, const char *what, struct der *ret, struct error *err)
{
	struct der body, null;
	int r = der_next(d, DER_SEQUENCE, what, &body, err);

	if (r == 0)
		r = der_next(&body, DER_OID, what, ret, err);
	if (r == 0 && body.size > 0)
		r = der_next(&body, DER_NULL, what, &null, err);
	return r < 0 ? r : der_end(&body, what, err);
}

static int expect_sha256(struct der *d, const char *what, struct error *err)
{
	struct der oid;
	int r = read_algorithm(d, what, &oid, err);

	return r == 0 && !same(oid, oid_sha256) ? error_input(err, "%s is not SHA-256", what) : r;
}

static int read_content(struct der *d, struct signed_data *ret, struct error *err)
{
	struct der info, type, wrapped;
	int r = der_next(d, DER_SEQUENCE, "content", &info, err);

	if (r == 0)
		r = der_next(&info, DER_OID, "content's type", &type, err);
	if (r < 0)
		return r;
	ret->type = same(type, oid_indirect_data) ? SIGNED_AUTHENTICODE : SIGNED_DATA_ELSEWHERE;
	if (ret->type == SIGNED_DATA_ELSEWHERE && !same(type, oid_data))
		return error_input(err, "the content's type is neither data nor SpcIndirectDataContent");
	if (ret->type == SIGNED_AUTHENTICODE) {
		r = der_next(&info, DER_CONTEXT(0), "content", &wrapped, err);
		if (r == 0)
			r = der_next(&wrapped, DER_SEQUENCE, "content", &ret->content, err);
		if (r == 0)
			r = der_end(&wrapped, "content", err);
	}
	return r < 0 ? r : der_end(&info, "content", err);
}

static int read_certificates(struct der *d, struct signed_data *ret, struct error *err)
{
	struct der set;
	int r = der_next(d, DER_CONTEXT(0), "certificates", &set, err);

	while (r == 0 && set.size > 0) {
		if (ret->certificate_count == SIGNED_DATA_CERTIFICATES_MAX)
			return error_input(err, "it holds more than %d certificates", SIGNED_DATA_CERTIFICATES_MAX);
		r = der_next_whole(&set, DER_SEQUENCE, "certificate",
				   &ret->certificates[ret->certificate_count], err);
		if (r == 0)
			ret->certificate_count++;
	}
	return r;
}

static int read_issuer(struct der *d, struct signed_issuer *ret, struct error *err)
{
	struct der name;
	int r = der_next(d, DER_SEQUENCE, "signer's name", &name, err);

	if (r == 0)
		r = der_next_whole(&name, DER_SEQUENCE, "signer's issuer", &ret->issuer, err);
	if (r == 0)
		r = der_next_whole(&name, DER_INTEGER, "signer's serial number", &ret->serial, err);
	return r < 0 ? r : der_end(&name, "signer's name", err);
}

static int read_signature(struct der *d, struct signed_data *ret, struct error *err)
{
	struct der oid;
	int r = read_algorithm(d, "signature's algorithm", &oid, err);

	if (r < 0)
		return r;
	if (same(oid, oid_rsa))
		ret->algorithm = SIGNED_RSA;
	else if (same(oid, oid_ecdsa_sha256))
		ret->algorithm = SIGNED_ECDSA;
	else
		return error_input(err, "the signature is neither RSA nor ECDSA with SHA-256");
	return der_next(d, DER_OCTET_STRING, "signature", &ret->signature, err);
}

static int read_signer(struct der *d, struct signed_data *ret, struct error *err)
{
	struct der set, info;
	int r = der_next(d, DER_SET, "signers", &set, err);

	if (r == 0)
		r = der_next(&set, DER_SEQUENCE, "signer", &info, err);
	if (r == 0)
		r = der_end(&set, "the set of signers", err);
	if (r == 0)
		r = expect_version(&info, "signer's version", err);
	if (r == 0)
		r = read_issuer(&info, &ret->signer, err);
	if (r == 0)
		r = expect_sha256(&info, "signer's digest algorithm", err);
	if (r == 0 && der_peek(&info) == DER_CONTEXT(0))
		r = der_next(&info, DER_CONTEXT(0), "signed attributes", &ret->attributes, err);
	if (r == 0)
		r = read_signature(&info, ret, err);
	return r < 0 ? r : der_end(&info, "signer", err);
}

/* To the contents of SignedData, by a ContentInfo if there is one: UEFI's variables do without. */
static int unwrap(struct der *d, struct signed_data *ret, struct der *ret_body, struct error *err)
{
	struct der outer, type, inner;
	int r = der_next(d, DER_SEQUENCE, "signed data", &outer, err);

	if (r < 0)
		return r;
	ret->wrapped = der_peek(&outer) == DER_OID;
	if (!ret->wrapped) {
		*ret_body = outer;
		return 0;
	}
	r = der_next(&outer, DER_OID, "type", &type, err);
	if (r == 0 && !same(type, oid_signed_data))
		r = error_input(err, "its type is not SignedData");
	if (r == 0)
		r = der_next(&outer, DER_CONTEXT(0), "signed data", &inner, err);
	if (r == 0)
		r = der_end(&outer, "PKCS#7", err);
	if (r == 0)
		r = der_next(&inner, DER_SEQUENCE, "signed data", ret_body, err);
	return r < 0 ? r : der_end(&inner, "PKCS#7", err);
}

int signed_data_parse(const uint8_t *data, size_t size, struct signed_data *ret, size_t *ret_size, struct error *err)
{
	struct der all = { data, size }, body, algorithms;
	struct signed_data found = { .wrapped = false };
	int r = unwrap(&all, &found, &body, err);

	if (r == 0)
		r = expect_version(&body, "version", err);
	if (r == 0)
		r = der_next(&body, DER_SET, "digest algorithms", &algorithms, err);
	if (r == 0)
		r = expect_sha256(&algorithms, "digest algorithm", err);
	if (r == 0)
		r = der_end(&algorithms, "the set of digest algorithms", err);
	if (r == 0)
		r = read_content(&body, &found, err);
	if (r == 0)
		r = read_certificates(&body, &found, err);
	if (r == 0)
		r = read_signer(&body, &found, err);
	if (r == 0)
		r = der_end(&body, "signed data", err);
	if (r < 0)
		return error_wrap(err, "PKCS#7 signature");
	*ret = found;
	*ret_size = size - all.size;
	return 0;
}

/* ---------------------------------------------------------------- writing */

static void add_oid(struct buf *b, struct der oid)
{
	der_add(b, DER_OID, oid.data, oid.size);
}

static void add_algorithm(struct buf *b, struct der oid, bool null)
{
	size_t from = b->len;

	add_oid(b, oid);
	if (null)
		der_add(b, DER_NULL, "", 0);
	der_wrap(b, DER_SEQUENCE, from);
}

static void add_content(struct buf *b, const struct signed_data *s)
{
	size_t from = b->len, inner;

	add_oid(b, s->type == SIGNED_AUTHENTICODE ? oid_indirect_data : oid_data);
	inner = b->len;
	if (s->type == SIGNED_AUTHENTICODE) {
		der_add(b, DER_SEQUENCE, s->content.data, s->content.size);
		der_wrap(b, DER_CONTEXT(0), inner);
	}
	der_wrap(b, DER_SEQUENCE, from);
}

static void add_certificates(struct buf *b, const struct signed_data *s)
{
	size_t from = b->len;

	for (size_t i = 0; i < s->certificate_count; i++)
		der_add_raw(b, s->certificates[i].data, s->certificates[i].size);
	der_wrap(b, DER_CONTEXT(0), from);
}

static void add_signer(struct buf *b, const struct signed_data *s)
{
	size_t from = b->len, name;

	der_add(b, DER_INTEGER, &version_1, 1);
	name = b->len;
	der_add_raw(b, s->signer.issuer.data, s->signer.issuer.size);
	der_add_raw(b, s->signer.serial.data, s->signer.serial.size);
	der_wrap(b, DER_SEQUENCE, name);
	add_algorithm(b, oid_sha256, true);
	if (s->attributes.size > 0)
		der_add(b, DER_CONTEXT(0), s->attributes.data, s->attributes.size);
	/* RFC 5754, 3.2 and 3.3: RSA's parameters are NULL, ECDSA's are absent. */
	if (s->algorithm == SIGNED_RSA)
		add_algorithm(b, oid_rsa, true);
	else
		add_algorithm(b, oid_ecdsa_sha256, false);
	der_add(b, DER_OCTET_STRING, s->signature.data, s->signature.size);
	der_wrap(b, DER_SEQUENCE, from);
	der_wrap(b, DER_SET, from);
}

void signed_data_write(const struct signed_data *s, struct buf *ret)
{
	size_t from = ret->len, inner;

	if (s->wrapped)
		add_oid(ret, oid_signed_data);
	inner = ret->len;
	der_add(ret, DER_INTEGER, &version_1, 1);
	add_algorithm(ret, oid_sha256, true);
	der_wrap(ret, DER_SET, inner + 3);
	add_content(ret, s);
	add_certificates(ret, s);
	add_signer(ret, s);
	der_wrap(ret, DER_SEQUENCE, inner);
	if (s->wrapped) {
		der_wrap(ret, DER_CONTEXT(0), inner);
		der_wrap(ret, DER_SEQUENCE, from);
	}
}

/* Two attributes in the order that DER wants of a SET: the shorter encoding is the smaller one. */
void signed_attributes_write(enum signed_content type, struct der content, struct buf *ret)
{
	size_t from = ret->len, inner;
	struct digest digest;

	add_oid(ret, oid_content_type);
	inner = ret->len;
	add_oid(ret, type == SIGNED_AUTHENTICODE ? oid_indirect_data : oid_data);
	der_wrap(ret, DER_SET, inner);
	der_wrap(ret, DER_SEQUENCE, from);

	from = ret->len;
	digest_of(DIGEST_SHA256, content.data, content.size, &digest);
	add_oid(ret, oid_message_digest);
	inner = ret->len;
	der_add(ret, DER_OCTET_STRING, digest.bytes, digest_size(digest.alg));
	der_wrap(ret, DER_SET, inner);
	der_wrap(ret, DER_SEQUENCE, from);
}

void signed_attributes_request(struct der attributes, struct buf *ret)
{
	der_add(ret, DER_SET, attributes.data, attributes.size);
}
