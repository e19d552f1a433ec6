/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_TESTS_UNIT_SIGNER_H
#define KILN_TESTS_UNIT_SIGNER_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "factory/base/buf.h"
#include "factory/format/authenticode.h"
#include "factory/format/signed_data.h"
#include "keys/ecdsa.h"
#include "tests/unit/pe_image.h"
#include "tests/unit/tap.h"

/* Somebody with a P-256 key and a certificate, by whomever issued; made by OpenSSL alone. */
struct signer {
	EVP_PKEY *key;
	X509 *x509;
	struct buf certificate;		/* DER */
};

static inline void signer_free(struct signer *s)
{
	EVP_PKEY_free(s->key);
	X509_free(s->x509);
	buf_free(&s->certificate);
}
#define CLEANUP_SIGNER __attribute__((cleanup(signer_free)))

static inline void signer_extension(X509 *c, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	need(e && X509_add_ext(c, e, -1) == 1, "an extension");
	X509_EXTENSION_free(e);
}

/* `issuer` NULL: self-signed. The certificate expired long ago, which must not matter to anything that acts as
 * firmware. */
static inline void signer_make(struct signer *s, const char *name, bool ca, const struct signer *issuer)
{
	static int serial = 1000;
	X509_NAME *subject;
	uint8_t *der = NULL;
	int size;

	*s = (struct signer) { .certificate = BUF_INIT(65536) };
	s->key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	s->x509 = X509_new();
	need(s->key && s->x509 && X509_set_version(s->x509, 2) == 1, "a key and a certificate");
	ASN1_INTEGER_set(X509_get_serialNumber(s->x509), serial++);
	subject = X509_get_subject_name(s->x509);
	X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, (const uint8_t *)name, -1, -1, 0);
	X509_set_issuer_name(s->x509, issuer ? X509_get_subject_name(issuer->x509) : subject);
	ASN1_TIME_set(X509_getm_notBefore(s->x509), 1000000000);
	ASN1_TIME_set(X509_getm_notAfter(s->x509), 1100000000);
	X509_set_pubkey(s->x509, s->key);
	signer_extension(s->x509, NID_basic_constraints, ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	need(X509_sign(s->x509, issuer ? issuer->key : s->key, EVP_sha256()) > 0, "the certificate is signed");
	size = i2d_X509(s->x509, &der);
	need(size > 0 && buf_add(&s->certificate, der, (size_t)size) == 0, "its bytes");
	OPENSSL_free(der);
}

/* Appends the PKCS#7 signature of an image; `also` NULL or another certificate to embed. */
__attribute__((unused))
static void signer_blob(const struct signer *s, const struct buf *image, const struct signer *also, struct buf *ret)
{
	CLEANUP_BUF struct buf content = BUF_INIT(SIZE_MAX), attributes = BUF_INIT(SIZE_MAX),
			       request = BUF_INIT(SIZE_MAX), signature = BUF_INIT(SIZE_MAX);
	struct signed_data data = {
		.type = SIGNED_AUTHENTICODE, .algorithm = SIGNED_ECDSA, .wrapped = true,
		.certificates = { { s->certificate.data, s->certificate.len } }, .certificate_count = 1,
	};
	struct error err = ERROR_INIT;
	struct digest digest;
	struct pe pe;

	need(pe_parse(image->data, image->len, &pe, &err) == 0 &&
	     pe_authenticode(&pe, DIGEST_SHA256, &digest, &err) == 0, "the image is hashed: %s", err.message);
	authenticode_content(&digest, &content);
	data.content = (struct der) { content.data, content.len };
	signed_attributes_write(SIGNED_AUTHENTICODE, data.content, &attributes);
	data.attributes = (struct der) { attributes.data, attributes.len };
	signed_attributes_request(data.attributes, &request);
	digest_of(DIGEST_SHA256, request.data, request.len, &digest);
	need(ecdsa_sign(s->key, digest.bytes, &signature, &err) == 0, "a signature: %s", err.message);
	data.signature = (struct der) { signature.data, signature.len };
	if (also)
		data.certificates[data.certificate_count++] =
			(struct der) { also->certificate.data, also->certificate.len };
	need(signed_issuer_of(s->certificate.data, s->certificate.len, &data.signer, &err) == 0, "%s", err.message);
	signed_data_write(&data, ret);
}

/* Signs an image in place. */
__attribute__((unused))
static void signer_sign(const struct signer *s, struct buf *image, const struct signer *also)
{
	CLEANUP_BUF struct buf blob = BUF_INIT(SIZE_MAX);

	signer_blob(s, image, also, &blob);
	image_sign(image, blob.data, (uint32_t)blob.len);
}

#endif
