/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs7.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "error.h"

struct pkcs7 {
	PKCS7 *p7;
	uint8_t *certificate;	/* what pkcs7_certificate() gave last */
};

struct pkcs7 *pkcs7_open(const uint8_t *data, size_t size)
{
	struct pkcs7 *p;
	PKCS7 *p7;

	if (size > INT_MAX)
		return NULL;
	p7 = d2i_PKCS7(NULL, &data, (long)size);
	ERR_clear_error();
	if (!p7 || !PKCS7_type_is_signed(p7) || !p7->d.sign || !p7->d.sign->contents) {
		PKCS7_free(p7);
		return NULL;
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		error_no_memory();
	p->p7 = p7;
	return p;
}

void pkcs7_free(struct pkcs7 *p)
{
	if (!p)
		return;
	PKCS7_free(p->p7);
	OPENSSL_free(p->certificate);
	free(p);
}

void pkcs7_freep(struct pkcs7 **p)
{
	pkcs7_free(*p);
}

/* Types of content that OpenSSL reads by itself; the value of any other it keeps whole, in d.other. */
static bool is_known(const ASN1_OBJECT *type)
{
	switch (OBJ_obj2nid(type)) {
	case NID_pkcs7_data:
	case NID_pkcs7_signed:
	case NID_pkcs7_enveloped:
	case NID_pkcs7_signedAndEnveloped:
	case NID_pkcs7_digest:
	case NID_pkcs7_encrypted:
		return true;
	}
	return false;
}

bool pkcs7_content(const struct pkcs7 *p, const uint8_t **ret, size_t *ret_size)
{
	const PKCS7 *inner = p->p7->d.sign->contents;
	const ASN1_TYPE *other = is_known(inner->type) ? NULL : inner->d.other;
	const uint8_t *contents;
	long length;
	int tag, class;

	if (!other || other->type != V_ASN1_SEQUENCE)
		return false;
	contents = ASN1_STRING_get0_data(other->value.sequence);
	if (ASN1_get_object(&contents, &length, &tag, &class, ASN1_STRING_length(other->value.sequence)) & 0x80) {
		ERR_clear_error();
		return false;
	}
	*ret = contents;
	*ret_size = (size_t)length;
	return true;
}

bool pkcs7_certificate(struct pkcs7 *p, unsigned int number, const uint8_t **ret, size_t *ret_size)
{
	const STACK_OF(X509) *all = p->p7->d.sign->cert;
	int size;

	if (number > INT_MAX || !all || (int)number >= sk_X509_num(all))
		return false;
	OPENSSL_free(p->certificate);
	p->certificate = NULL;
	size = i2d_X509(sk_X509_value(all, (int)number), &p->certificate);
	if (size <= 0)
		error_no_memory();
	*ret = p->certificate;
	*ret_size = (size_t)size;
	return true;
}

/* A store of one certificate with EDK2's flags; NULL when it is none. */
static X509_STORE *trust(const uint8_t *trusted, size_t size)
{
	X509 *certificate = size <= LONG_MAX ? d2i_X509(NULL, &trusted, (long)size) : NULL;
	X509_STORE *store;

	if (!certificate)
		return NULL;
	store = X509_STORE_new();
	if (!store || X509_STORE_add_cert(store, certificate) != 1)
		error_no_memory();
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
	X509_STORE_set_purpose(store, X509_PURPOSE_ANY);
	X509_free(certificate);
	return store;
}

bool pkcs7_verifies(const struct pkcs7 *p, const uint8_t *content, size_t content_size, const uint8_t *trusted,
		    size_t trusted_size)
{
	X509_STORE *store = trust(trusted, trusted_size);
	BIO *bio = content_size <= INT_MAX ? BIO_new_mem_buf(content, (int)content_size) : NULL;
	bool good = store && bio && PKCS7_verify(p->p7, NULL, store, bio, NULL, PKCS7_BINARY) == 1;

	BIO_free(bio);
	X509_STORE_free(store);
	ERR_clear_error();
	return good;
}

static bool signer_leads_to(const struct pkcs7 *p, X509 *signer, X509_STORE *store)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool good;

	if (!ctx || X509_STORE_CTX_init(ctx, store, signer, p->p7->d.sign->cert) != 1)
		error_no_memory();
	good = X509_verify_cert(ctx) == 1;
	X509_STORE_CTX_free(ctx);
	return good;
}

bool pkcs7_leads_to(const struct pkcs7 *p, const uint8_t *trusted, size_t trusted_size)
{
	X509_STORE *store = trust(trusted, trusted_size);
	STACK_OF(X509) *signers = PKCS7_get0_signers(p->p7, NULL, 0);
	bool good = store && signers && sk_X509_num(signers) > 0;

	for (int i = 0; good && i < sk_X509_num(signers); i++)
		good = signer_leads_to(p, sk_X509_value(signers, i), store);
	sk_X509_free(signers);
	X509_STORE_free(store);
	ERR_clear_error();
	return good;
}
