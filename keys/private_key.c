/* SPDX-License-Identifier: Apache-2.0 */
#include "private_key.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/store.h>

#include "../factory/base/buf.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/digest.h"
#include "../factory/base/io.h"
#include "certificate.h"
#include "ecdsa.h"
#include "keyring_entries.h"
#include "new_file.h"
#include "openssl_error.h"
#include "pin.h"
#include "pkcs11_uri.h"

#define PEM_MAX (64 * 1024)
#define RSA_BITS 2048
#define SIGNATURE_MAX 512
/* The provider's own way to be told of the module; its configuration file is not Kiln's to write. */
#define MODULE_VARIABLE "PKCS11_PROVIDER_MODULE"

struct private_key {
	const struct keyring_entry *entry;	/* NULL: it has no certificate yet */
	char *name;			/* for messages */
	EVP_PKEY *pkey;
	/* Behind PKCS#11 only: a context of its own, so that digests elsewhere never go to a token. */
	OSSL_LIB_CTX *context;
	OSSL_PROVIDER *defaults, *provider;
	bool module_set;
	char *module_before;		/* what MODULE_VARIABLE was; NULL: not set */
};

static struct private_key *new_key(const struct keyring_entry *entry, char *name)
{
	struct private_key *key = calloc(1, sizeof(*key));

	if (!key)
		error_no_memory();
	key->entry = entry;
	key->name = name;
	return key;
}

/* The provider loads its module when it is first asked, so the variable must stand as long as the key. */
static void set_module(struct private_key *key, const char *path)
{
	const char *before = getenv(MODULE_VARIABLE);

	key->module_before = before ? string_copy(before) : NULL;
	key->module_set = true;
	if (setenv(MODULE_VARIABLE, path, 1) < 0)
		error_no_memory();
}

static void restore_module(struct private_key *key)
{
	if (!key->module_set)
		return;
	if (!key->module_before)
		(void)unsetenv(MODULE_VARIABLE);	/* the name is a good one */
	else if (setenv(MODULE_VARIABLE, key->module_before, 1) < 0)
		error_no_memory();
	free(key->module_before);
}

void private_key_free(struct private_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	if (key->provider)
		OSSL_PROVIDER_unload(key->provider);
	if (key->defaults)
		OSSL_PROVIDER_unload(key->defaults);
	OSSL_LIB_CTX_free(key->context);
	restore_module(key);
	free(key->name);
	free(key);
}

void private_key_freep(struct private_key **key)
{
	private_key_free(*key);
}

/* ---------------------------------------------------------------- in a file */

/* No passphrase: who wants more than the file's mode has PKCS#11. */
static int no_passphrase(char *text, int size, int writing, void *arg)
{
	(void)text;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static int check_mode(const char *path, struct error *err)
{
	struct stat st;

	if (stat(path, &st) < 0 && errno == ENOENT)
		return error_input(err, "%s: the private key is missing", path);
	if (stat(path, &st) < 0)
		return error_system(err, errno, "%s", path);
	if (st.st_mode & 077)
		return error_input(err, "%s: others may read the private key: chmod 600 it", path);
	return 0;
}

static int read_pem(const char *path, EVP_PKEY **ret, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(PEM_MAX);
	EVP_PKEY *key;
	BIO *bio;
	int r = check_mode(path, err);

	if (r == 0)
		r = io_read_file(path, PEM_MAX, &text, err);
	if (r < 0)
		return r;
	bio = BIO_new_mem_buf(buf_text(&text), (int)text.len);
	key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
	BIO_free(bio);
	OPENSSL_cleanse(text.data, text.len);
	ERR_clear_error();
	if (!key)
		return error_input(err, "%s holds no private key in PEM form without a passphrase", path);
	*ret = key;
	return 0;
}

/* ---------------------------------------------------------------- behind PKCS#11 */

static int load_provider(struct private_key *key, const struct pkcs11_uri *uri, struct error *err)
{
	if (uri->module_path && access(uri->module_path, R_OK) < 0)
		return error_input(err, "%s: there is no module %s", key->name, uri->module_path);
	if (uri->module_path)
		set_module(key, uri->module_path);
	key->context = OSSL_LIB_CTX_new();
	if (!key->context)
		error_no_memory();
	key->defaults = OSSL_PROVIDER_load(key->context, "default");
	key->provider = OSSL_PROVIDER_load(key->context, "pkcs11");
	if (!key->defaults || !key->provider)
		return openssl_outside(err, "%s: OpenSSL cannot load its provider for PKCS#11; install pkcs11-provider",
				       key->name);
	return 0;
}

static EVP_PKEY *load_from(OSSL_STORE_CTX *store)
{
	EVP_PKEY *key = NULL;

	while (!key && !OSSL_STORE_eof(store)) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);

		if (!info)
			break;
		if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
			key = OSSL_STORE_INFO_get1_PKEY(info);
		OSSL_STORE_INFO_free(info);
	}
	return key;
}

static int open_token(struct private_key *key, const struct pkcs11_uri *uri, struct error *err)
{
	CLEANUP_PIN struct pin *pin = NULL;
	OSSL_STORE_CTX *store;
	int r = pin_new(uri->pin_file, &pin, err);

	if (r < 0)
		return r;
	store = OSSL_STORE_open_ex(uri->key, key->context, "provider=pkcs11", pin_method(pin), pin_data(pin), NULL,
				   NULL, NULL);
	if (store && OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY) == 1)
		key->pkey = load_from(store);
	OSSL_STORE_close(store);
	if (!key->pkey)
		return openssl_input(err, "%s: the token does not give this key; is the PIN right, and the object there?",
				     key->name);
	ERR_clear_error();
	return 0;
}

static int open_uri(struct private_key *key, const char *text, struct error *err)
{
	CLEANUP_PKCS11_URI struct pkcs11_uri uri = { .key = NULL };
	int r = pkcs11_uri_parse(text, &uri, err);

	if (r < 0)
		return error_wrap(err, "%s", key->name);
	r = load_provider(key, &uri, err);
	return r < 0 ? r : open_token(key, &uri, err);
}

/* ---------------------------------------------------------------- either */

static int check_fit(const struct private_key *key, struct error *err)
{
	EVP_PKEY *public = NULL;
	int r = certificate_key(key->entry->certificate.data, key->entry->certificate.len, &public, err);
	bool fits;

	if (r < 0)
		return error_wrap(err, "%s", key->entry->certificate_file);
	fits = EVP_PKEY_eq(public, key->pkey) == 1;
	EVP_PKEY_free(public);
	ERR_clear_error();
	if (!fits)
		return error_input(err, "%s is not the key of the certificate %s", key->name,
				   key->entry->certificate_file);
	return 0;
}

int private_key_open(const struct keyring *k, const struct keyring_entry *entry, struct private_key **ret,
		     struct error *err)
{
	bool uri = is_pkcs11_uri(entry->key);
	CLEANUP_PRIVATE_KEY struct private_key *key =
		new_key(entry, uri ? string_copy(entry->key) : path_join(k->directory, entry->key));
	int r;

	if (strcmp(entry->key, KEYRING_NO_KEY) == 0)
		return error_input(err, "%s: the private key of %s is elsewhere: let it sign there (\"kiln build --unsigned\", \"kiln sign --attach\")",
				   k->directory, secure_variables[entry->role].name);
	r = uri ? open_uri(key, entry->key, err) : read_pem(key->name, &key->pkey, err);
	/* A token shows the public half only when it likes to; what it signs is verified in any case. */
	if (r == 0 && !uri)
		r = check_fit(key, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(key);
	return 0;
}

int private_key_open_uri(const char *uri, struct private_key **ret, struct error *err)
{
	CLEANUP_PRIVATE_KEY struct private_key *key = new_key(NULL, string_copy(uri));
	int r = open_uri(key, uri, err);

	if (r == 0)
		*ret = TAKE_PTR(key);
	return r;
}

EVP_PKEY *private_key_pkey(const struct private_key *key)
{
	return key->pkey;
}

OSSL_LIB_CTX *private_key_context(const struct private_key *key)
{
	return key->context;
}

/* ---------------------------------------------------------------- signing */

int signature_check(const struct keyring_entry *entry, const uint8_t *data, size_t size, const uint8_t *signature,
		    size_t signature_size, const char *name, struct error *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY *public = NULL;
	int r = certificate_key(entry->certificate.data, entry->certificate.len, &public, err);
	bool good;

	if (!ctx)
		error_no_memory();
	good = r == 0 && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, public) == 1 &&
	       EVP_DigestVerify(ctx, signature, signature_size, data, size) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(public);
	ERR_clear_error();
	if (r == 0 && !good)
		r = error_input(err, "%s is not this file's signature by the key of the certificate %s", name,
				entry->certificate_file);
	return r;
}

static int sign_with_provider(const struct private_key *key, const uint8_t *data, size_t size, struct buf *ret,
			      struct error *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t signature[SIGNATURE_MAX];
	size_t signature_size = sizeof(signature);
	bool good;

	if (!ctx)
		error_no_memory();
	good = EVP_DigestSignInit_ex(ctx, NULL, "SHA256", key->context, NULL, key->pkey, NULL) == 1 &&
	       EVP_DigestSign(ctx, signature, &signature_size, data, size) == 1;
	EVP_MD_CTX_free(ctx);
	if (!good)
		return openssl_outside(err, "%s does not sign", key->name);
	if (buf_add(ret, signature, signature_size) < 0)
		error_no_memory();
	return 0;
}

int private_key_sign(const struct private_key *key, const uint8_t *data, size_t size, struct buf *ret,
		     struct error *err)
{
	size_t from = ret->len;
	struct digest digest;
	int r;

	if (key->entry->ecdsa && !key->context) {
		digest_of(DIGEST_SHA256, data, size, &digest);
		r = ecdsa_sign(key->pkey, digest.bytes, ret, err);
	} else {
		r = sign_with_provider(key, data, size, ret, err);
	}
	if (r == 0)
		r = signature_check(key->entry, data, size, ret->data + from, ret->len - from, "what the key made",
				    err);
	if (r < 0)
		return error_wrap(err, "%s", key->name);
	return 0;
}

/* ---------------------------------------------------------------- making */

static int write_pem(const char *path, EVP_PKEY *key, struct error *err)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *text = NULL;
	long size;
	int r;

	if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
		BIO_free(bio);
		return openssl_outside(err, "OpenSSL cannot write a private key");
	}
	size = BIO_get_mem_data(bio, &text);
	r = new_file_write(path, text, (size_t)size, 0600, err);
	OPENSSL_cleanse(text, (size_t)size);
	BIO_free(bio);
	return r;
}

int private_key_make(const char *path, bool ecdsa, struct private_key **ret, struct error *err)
{
	CLEANUP_PRIVATE_KEY struct private_key *key = new_key(NULL, string_copy(path));
	int r;

	key->pkey = ecdsa ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256") :
			    EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS);
	if (!key->pkey)
		return openssl_outside(err, "OpenSSL cannot make a key");
	r = write_pem(path, key->pkey, err);
	if (r == 0)
		*ret = TAKE_PTR(key);
	return r;
}
