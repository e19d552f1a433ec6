/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "../factory/base/buf.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/io.h"
#include "openssl_error.h"

#define PEM_MAX (256 * 1024)
#define SERIAL_BITS 127
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096
/* What every version of EDK2 with elliptic curves can verify. */
#define CURVE "prime256v1"
/* SEQUENCE of two INTEGERs of up to 33 bytes (RFC 3279, 2.2.3). */
#define P256_SIGNATURE_MAX 72

static void x509_freep(X509 **c)
{
	X509_free(*c);
}
static void bio_freep(BIO **b)
{
	BIO_free(*b);
}
#define CLEANUP_X509 __attribute__((cleanup(x509_freep)))
#define CLEANUP_BIO __attribute__((cleanup(bio_freep)))

/* ---------------------------------------------------------------- reading */

static int add_der(X509 *c, struct buf *ret)
{
	int size = i2d_X509(c, NULL);
	uint8_t *room;

	if (size <= 0 || buf_reserve(ret, (size_t)size, &room) < 0)
		error_no_memory();
	(void)i2d_X509(c, &room);
	ret->len += (size_t)size;
	return 0;
}

int certificate_read(const char *path, struct buf *ret, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(PEM_MAX);
	CLEANUP_BIO BIO *bio = NULL;
	CLEANUP_X509 X509 *c = NULL;
	int r;

	if (!io_exists(path))
		return error_input(err, "%s is missing", path);
	r = io_read_file(path, PEM_MAX, &text, err);
	if (r < 0)
		return r;
	bio = BIO_new_mem_buf(buf_text(&text), (int)text.len);
	c = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	if (!c) {
		ERR_clear_error();
		return error_input(err, "%s holds no certificate in PEM form", path);
	}
	return add_der(c, ret);
}

static X509 *parse(const uint8_t *der, size_t size)
{
	return size <= LONG_MAX ? d2i_X509(NULL, &der, (long)size) : NULL;
}

static void time_text(const ASN1_TIME *t, char *ret, size_t size)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1 || strftime(ret, size, "%F %T UTC", &tm) == 0)
		snprintf(ret, size, "an unknown time");
}

/* The clock and nothing of the plan: an expired key must not sign even what was fetched while it was good. */
static int check_time(const X509 *c, const char *name, struct error *err)
{
	char text[32];

	if (X509_cmp_current_time(X509_get0_notAfter(c)) <= 0) {
		time_text(X509_get0_notAfter(c), text, sizeof(text));
		return error_input(err, "%s: the certificate expired on %s: make a new key (\"kiln keys rotate\" for db)",
				   name, text);
	}
	if (X509_cmp_current_time(X509_get0_notBefore(c)) > 0) {
		time_text(X509_get0_notBefore(c), text, sizeof(text));
		return error_input(err, "%s: the certificate is not valid before %s", name, text);
	}
	return 0;
}

static void describe_key(const X509 *c, struct certificate_facts *ret)
{
	EVP_PKEY *key = X509_get0_pubkey(c);
	char curve[32] = "";
	int bits = key ? EVP_PKEY_get_bits(key) : 0;

	if (key && EVP_PKEY_is_a(key, "RSA") && bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX) {
		ret->signature_max = (size_t)EVP_PKEY_get_size(key);
	} else if (key && EVP_PKEY_is_a(key, "EC") &&
		   EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL) == 1 && strcmp(curve, CURVE) == 0) {
		ret->ecdsa = true;
		ret->signature_max = P256_SIGNATURE_MAX;
	}
	ERR_clear_error();
}

int certificate_describe(const uint8_t *der, size_t size, const char *name, struct certificate_facts *ret,
			 struct error *err)
{
	struct certificate_facts facts = { .ecdsa = false };
	CLEANUP_X509 X509 *c = parse(der, size);

	if (!c)
		return openssl_input(err, "%s: no certificate", name);
	describe_key(c, &facts);
	if (X509_NAME_get_text_by_NID(X509_get_subject_name(c), NID_commonName, facts.subject,
				      sizeof(facts.subject)) < 0)
		snprintf(facts.subject, sizeof(facts.subject), "(no name)");
	/* It is printed, and whoever made the certificate chose it. */
	for (char *at = facts.subject; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = '?';
	time_text(X509_get0_notAfter(c), facts.not_after, sizeof(facts.not_after));
	*ret = facts;
	return 0;
}

int certificate_check(const uint8_t *der, size_t size, const char *name, struct error *err)
{
	struct certificate_facts facts = { .ecdsa = false };
	CLEANUP_X509 X509 *c = parse(der, size);
	int r;

	if (!c)
		return openssl_input(err, "%s: no certificate", name);
	r = check_time(c, name, err);
	if (r < 0)
		return r;
	describe_key(c, &facts);
	if (facts.signature_max == 0)
		return error_input(err, "%s: its key is neither RSA of %d to %d bits nor ECDSA on P-256", name,
				   RSA_BITS_MIN, RSA_BITS_MAX);
	return 0;
}

int certificate_key(const uint8_t *der, size_t size, EVP_PKEY **ret, struct error *err)
{
	CLEANUP_X509 X509 *c = parse(der, size);
	EVP_PKEY *key = c ? X509_get_pubkey(c) : NULL;

	if (!key)
		return openssl_input(err, "the certificate has no key that OpenSSL knows");
	*ret = key;
	return 0;
}

/* ---------------------------------------------------------------- making */

static bool set_name(X509 *c, const char *common_name)
{
	X509_NAME *name = X509_NAME_new();
	bool good = name &&
		    X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
					       (const unsigned char *)common_name, -1, -1, 0) == 1 &&
		    X509_set_subject_name(c, name) == 1 && X509_set_issuer_name(c, name) == 1;

	X509_NAME_free(name);
	return good;
}

static bool set_serial(X509 *c)
{
	BIGNUM *n = BN_new();
	bool good = n && BN_rand(n, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
		    BN_to_ASN1_INTEGER(n, X509_get_serialNumber(c));

	BN_free(n);
	return good;
}

static bool set_times(X509 *c, int64_t begin, unsigned int days)
{
	time_t from = (time_t)begin;

	return X509_time_adj_ex(X509_getm_notBefore(c), 0, 0, &from) &&
	       X509_time_adj_ex(X509_getm_notAfter(c), (int)days, 0, &from);
}

static bool add_extension(X509 *c, int nid, const char *value)
{
	X509_EXTENSION *e;
	X509V3_CTX ctx;
	bool good;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, c, c, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	good = e && X509_add_ext(c, e, -1) == 1;
	X509_EXTENSION_free(e);
	return good;
}

/* RFC 5280, 4.2.1: an end entity that signs. Firmware trusts it because it is in a variable, whoever issued it. */
static bool add_extensions(X509 *c, bool code_signing)
{
	return add_extension(c, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(c, NID_key_usage, "critical,digitalSignature") &&
	       (!code_signing || add_extension(c, NID_ext_key_usage, "codeSigning")) &&
	       add_extension(c, NID_subject_key_identifier, "hash");
}

static int add_pem(X509 *c, struct buf *ret, struct error *err)
{
	CLEANUP_BIO BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long size;

	if (!bio || PEM_write_bio_X509(bio, c) != 1)
		return openssl_outside(err, "OpenSSL cannot write a certificate");
	size = BIO_get_mem_data(bio, &text);
	if (size <= 0 || buf_add(ret, text, (size_t)size) < 0)
		error_no_memory();
	return 0;
}

int certificate_make(OSSL_LIB_CTX *context, EVP_PKEY *key, const struct certificate_request *request, struct buf *ret,
		     struct error *err)
{
	CLEANUP_X509 X509 *c = X509_new_ex(context, NULL);

	if (!c || X509_set_version(c, X509_VERSION_3) != 1 || !set_serial(c) || !set_name(c, request->common_name) ||
	    !set_times(c, request->begin, request->days) || X509_set_pubkey(c, key) != 1 ||
	    !add_extensions(c, request->code_signing) || X509_sign(c, key, EVP_sha256()) == 0)
		return openssl_outside(err, "OpenSSL cannot make a certificate for \"%s\"", request->common_name);
	return add_pem(c, ret, err);
}
