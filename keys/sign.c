/* SPDX-License-Identifier: Apache-2.0 */
#include "sign.h"

#include <string.h>

#include "../factory/base/buf.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/digest.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/format/authenticode.h"
#include "../factory/format/signed_data.h"
#include "keyring.h"
#include "private_key.h"

/* An image on its way: stripped, its SignedData, and the bytes that this points to. */
struct signing {
	const struct keyring_entry *signer;
	struct buf image;		/* without a certificate table */
	struct buf content, attributes;
	struct signed_data data;	/* all but the signature */
};
#define SIGNING_INIT { .image = BUF_INIT(SIZE_MAX), .content = BUF_INIT(SIZE_MAX), .attributes = BUF_INIT(SIZE_MAX) }

static void signing_clear(struct signing *s)
{
	buf_free(&s->image);
	buf_free(&s->content);
	buf_free(&s->attributes);
}
#define CLEANUP_SIGNING __attribute__((cleanup(signing_clear)))

static int strip(struct signing *s, const uint8_t *image, size_t size, struct error *err)
{
	struct digest digest;
	struct pe pe;
	int r = pe_parse(image, size, &pe, err);

	if (r == 0)
		r = authenticode_strip(&pe, &s->image, err);
	if (r == 0)
		r = pe_parse(s->image.data, s->image.len, &pe, err);
	if (r == 0)
		r = pe_authenticode(&pe, DIGEST_SHA256, &digest, err);
	if (r == 0)
		authenticode_content(&digest, &s->content);
	return r;
}

static int begin(const struct keyring *k, const uint8_t *image, size_t size, struct signing *s, struct error *err)
{
	const struct keyring_entry *signer = keyring_signer(k, SECURE_DB);
	struct der content;
	int r = strip(s, image, size, err);

	if (r < 0)
		return r;
	s->signer = signer;
	content = (struct der) { s->content.data, s->content.len };
	signed_attributes_write(SIGNED_AUTHENTICODE, content, &s->attributes);
	s->data = (struct signed_data) {
		.type = SIGNED_AUTHENTICODE,
		.content = content,
		.certificates = { { signer->certificate.data, signer->certificate.len } },
		.certificate_count = 1,
		.attributes = { s->attributes.data, s->attributes.len },
		.algorithm = signer->ecdsa ? SIGNED_ECDSA : SIGNED_RSA,
		.wrapped = true,
	};
	r = signed_issuer_of(signer->certificate.data, signer->certificate.len, &s->data.signer, err);
	return r < 0 ? error_wrap(err, "%s", signer->certificate_file) : 0;
}

/* The signed image. Its size is that of one with the longest signature there can be. */
static int finish(struct signing *s, const uint8_t *signature, size_t size, struct buf *ret, struct error *err)
{
	CLEANUP_BUF struct buf blob = BUF_INIT(SIZE_MAX), longest = BUF_INIT(SIZE_MAX), zeros = BUF_INIT(SIZE_MAX);
	int r;

	if (buf_fill(&zeros, 0, s->signer->signature_max) < 0)
		error_no_memory();
	s->data.signature = (struct der) { zeros.data, zeros.len };
	signed_data_write(&s->data, &longest);
	if (signature)
		s->data.signature = (struct der) { signature, size };
	signed_data_write(&s->data, &blob);
	r = authenticode_add(&s->image, blob.data, blob.len, longest.len, err);
	if (r == 0 && buf_add(ret, s->image.data, s->image.len) < 0)
		error_no_memory();
	return r;
}

static void request(const struct signing *s, struct buf *ret)
{
	signed_attributes_request(s->data.attributes, ret);
}

int sign_image(const struct keyring *k, const uint8_t *image, size_t size, struct buf *ret, struct error *err)
{
	CLEANUP_BUF struct buf to_sign = BUF_INIT(SIZE_MAX), signature = BUF_INIT(SIZE_MAX);
	CLEANUP_PRIVATE_KEY struct private_key *key = NULL;
	CLEANUP_SIGNING struct signing s = SIGNING_INIT;
	int r = begin(k, image, size, &s, err);

	if (r == 0)
		r = private_key_open(k, s.signer, &key, err);
	if (r < 0)
		return r;
	request(&s, &to_sign);
	r = private_key_sign(key, to_sign.data, to_sign.len, &signature, err);
	return r < 0 ? r : finish(&s, signature.data, signature.len, ret, err);
}

int sign_prepare(const struct keyring *k, const uint8_t *image, size_t size, struct buf *ret, struct error *err)
{
	CLEANUP_SIGNING struct signing s = SIGNING_INIT;
	int r = begin(k, image, size, &s, err);

	return r < 0 ? r : finish(&s, NULL, 0, ret, err);
}

/* Is it this keyring's signature, made or not? Then preparing the image again changes nothing but the signature. */
static int check_prepared(const uint8_t *prepared, size_t size, const struct signing *s, struct error *err)
{
	struct signed_data there;
	size_t at = 0, blob_size;
	struct der blob;
	struct pe pe;
	int r = pe_parse(prepared, size, &pe, err);

	if (r < 0)
		return r;
	if (!authenticode_next(&pe, &at, &blob))
		return error_input(err, "the image was not prepared for a signature: build it with --keys and --unsigned");
	r = signed_data_parse(blob.data, blob.size, &there, &blob_size, err);
	if (r < 0)
		return r;
	if (there.certificate_count != 1 || there.certificates[0].size != s->signer->certificate.len ||
	    memcmp(there.certificates[0].data, s->signer->certificate.data, there.certificates[0].size) != 0)
		return error_input(err, "the image was prepared for another key than that of %s", s->signer->certificate_file);
	return 0;
}

int sign_request(const struct keyring *k, const uint8_t *prepared, size_t size, struct buf *ret, struct error *err)
{
	CLEANUP_SIGNING struct signing s = SIGNING_INIT;
	int r = begin(k, prepared, size, &s, err);

	if (r == 0)
		r = check_prepared(prepared, size, &s, err);
	if (r == 0)
		request(&s, ret);
	return r;
}

int sign_attach(const struct keyring *k, const uint8_t *prepared, size_t size, const uint8_t *signature,
		size_t signature_size, struct buf *ret, struct error *err)
{
	CLEANUP_BUF struct buf to_sign = BUF_INIT(SIZE_MAX);
	CLEANUP_SIGNING struct signing s = SIGNING_INIT;
	int r = begin(k, prepared, size, &s, err);

	if (r == 0)
		r = check_prepared(prepared, size, &s, err);
	if (r < 0)
		return r;
	request(&s, &to_sign);
	r = signature_check(s.signer, to_sign.data, to_sign.len, signature, signature_size, "the signature", err);
	return r < 0 ? r : finish(&s, signature, signature_size, ret, err);
}
