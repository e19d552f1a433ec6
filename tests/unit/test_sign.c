/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "factory/format/predict.h"
#include "keys/sign.h"
#include "tests/unit/keyring_fixture.h"
#include "tests/unit/predicted.h"

/* What "openssl dgst -sha256 -sign" does elsewhere with the key in a file. */
static void sign_elsewhere(const char *directory, const char *name, const struct buf *request, struct buf *ret)
{
	CLEANUP_FREE char *path = path_join(directory, name);
	CLEANUP_FCLOSE FILE *file = fopen(path, "r");
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t signature[512];
	size_t size = sizeof(signature);
	EVP_PKEY *key;

	need(file, "%s", path);
	key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	need(key && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	     EVP_DigestSign(ctx, signature, &size, request->data, request->len) == 1, "signed elsewhere");
	buf_add(ret, signature, size);
	EVP_PKEY_free(key);
	EVP_MD_CTX_free(ctx);
}

static bool same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static void check_boots(const struct keyring *k, const struct buf *image, const char *what)
{
	CLEANUP_KEYRING_VARIABLES struct keyring_variables v = KEYRING_VARIABLES_INIT;
	CLEANUP_PCR_LOG struct pcr_log log = PCR_LOG_INIT;
	const uint8_t *data = image->data;
	struct error err = ERROR_INIT;
	struct predict_keys keys;

	keyring_variables(k, &v);
	keys = keyring_variables_predict(&v);
	ok_int(predict_boot(&(struct predict_input){ .images = &data, .image_sizes = &image->len, .image_count = 1,
						     .keys = &keys }, &log, &err),
	       0, "firmware with the keyring's variables lets it run: %s (%s)", what, err.message);
}

static void test_direct_and_detached(bool ecdsa)
{
	CLEANUP_BUF struct buf direct = BUF_INIT(SIZE_MAX), again = BUF_INIT(SIZE_MAX), prepared = BUF_INIT(SIZE_MAX),
			       request = BUF_INIT(SIZE_MAX), signature = BUF_INIT(SIZE_MAX), attached = BUF_INIT(SIZE_MAX),
			       second = BUF_INIT(SIZE_MAX);
	CLEANUP_PREDICTED_UKI struct predicted_uki uki;
	CLEANUP_KEYRING struct keyring *k = NULL;
	struct error err = ERROR_INIT;
	struct digest before, after;
	struct keyring_fixture f;
	struct pe pe;

	keyring_fixture_open(&f, ecdsa);
	k = keyring_fixture_read(&f);
	predicted_uki_begin(&uki, IMAGE_MAGIC("257"));
	predicted_uki_write(&uki);
	need(sign_image(k, uki.image.data, uki.image.len, &direct, &err) == 0, "a UKI is signed (%s)", err.message);
	need(sign_image(k, uki.image.data, uki.image.len, &again, &err) == 0, "and again (%s)", err.message);
	ok(same(&direct, &again), "the same key and bytes give the same bytes");
	ok_int(direct.len % 8, 0, "of a size that other tools would not change");
	need(sign_image(k, direct.data, direct.len, &second, &err) == 0, "what is signed is signed again (%s)", err.message);
	ok(same(&direct, &second), "the earlier signature goes");
	need(pe_parse(uki.image.data, uki.image.len, &pe, &err) == 0 &&
	     pe_authenticode(&pe, DIGEST_SHA384, &before, &err) == 0 &&
	     pe_parse(direct.data, direct.len, &pe, &err) == 0 &&
	     pe_authenticode(&pe, DIGEST_SHA384, &after, &err) == 0, "digests: %s", err.message);
	ok(digest_equal(&before, &after), "the digest that PCR 4 gets is as before");
	check_boots(k, &direct, "signed directly");

	need(sign_prepare(k, uki.image.data, uki.image.len, &prepared, &err) == 0, "prepared (%s)", err.message);
	ok_int(prepared.len, direct.len, "the prepared image has its final size");
	need(sign_request(k, prepared.data, prepared.len, &request, &err) == 0, "what is to be signed (%s)", err.message);
	sign_elsewhere(f.path, "db.key", &request, &signature);
	need(sign_attach(k, prepared.data, prepared.len, signature.data, signature.len, &attached, &err) == 0,
	     "attached (%s)", err.message);
	check_boots(k, &attached, "signed elsewhere");
	/* OpenSSL's ECDSA takes a random number; RSA has but one signature. */
	ok(ecdsa || same(&attached, &direct), "and the bytes are those of the direct way");
	ok_int(attached.len, direct.len, "in the same size");
	keyring_fixture_close(&f);
}

/* ECDSA's signatures have 70 to 72 bytes, and rarely fewer: the image's size must not depend on it. */
static void test_one_size(void)
{
	CLEANUP_PREDICTED_UKI struct predicted_uki uki;
	CLEANUP_KEYRING struct keyring *k = NULL;
	struct error err = ERROR_INIT;
	struct keyring_fixture f;
	size_t size = 0, others = 0;

	keyring_fixture_open(&f, true);
	k = keyring_fixture_read(&f);
	predicted_uki_begin(&uki, IMAGE_MAGIC("257"));
	predicted_uki_write(&uki);
	for (int i = 0; i < 40; i++) {
		CLEANUP_BUF struct buf out = BUF_INIT(SIZE_MAX);

		uki.image.data[IMAGE_HEADERS] = (uint8_t)i;
		need(sign_image(k, uki.image.data, uki.image.len, &out, &err) == 0, "%s", err.message);
		others += size != 0 && out.len != size;
		size = out.len;
	}
	ok_int(others, 0, "40 signed images have one size");
	keyring_fixture_close(&f);
}

static void test_refused(void)
{
	CLEANUP_BUF struct buf prepared = BUF_INIT(SIZE_MAX), other = BUF_INIT(SIZE_MAX), request = BUF_INIT(SIZE_MAX),
			       signature = BUF_INIT(SIZE_MAX), out = BUF_INIT(SIZE_MAX);
	CLEANUP_PREDICTED_UKI struct predicted_uki uki;
	CLEANUP_KEYRING struct keyring *k = NULL, *stranger = NULL;
	struct error err = ERROR_INIT;
	struct keyring_fixture f, g;

	keyring_fixture_open(&f, true);
	keyring_fixture_open(&g, true);
	k = keyring_fixture_read(&f);
	stranger = keyring_fixture_read(&g);
	predicted_uki_begin(&uki, IMAGE_MAGIC("257"));
	predicted_uki_write(&uki);
	need(sign_prepare(k, uki.image.data, uki.image.len, &prepared, &err) == 0, "prepared");
	uki.image.data[IMAGE_HEADERS] ^= 1;
	need(sign_prepare(k, uki.image.data, uki.image.len, &other, &err) == 0, "another image");
	need(sign_request(k, other.data, other.len, &request, &err) == 0, "what is to be signed of it");
	sign_elsewhere(f.path, "db.key", &request, &signature);

	ok_int(sign_attach(k, prepared.data, prepared.len, signature.data, signature.len, &out, &err), -EINVAL,
	       "the signature of another image");
	ok_error(&err, "the signature is not this file's signature", "is refused");
	err = (struct error)ERROR_INIT;
	ok_int(sign_attach(k, other.data, other.len, signature.data, signature.len - 1, &out, &err), -EINVAL,
	       "a signature without its last byte");
	err = (struct error)ERROR_INIT;
	ok_int(sign_attach(k, other.data, other.len, signature.data, 0, &out, &err), -EINVAL, "nothing");
	err = (struct error)ERROR_INIT;
	ok_int(sign_attach(stranger, other.data, other.len, signature.data, signature.len, &out, &err), -EINVAL,
	       "another keyring");
	ok_error(&err, "prepared for another key", "is refused");
	err = (struct error)ERROR_INIT;
	ok_int(sign_attach(k, uki.image.data, uki.image.len, signature.data, signature.len, &out, &err), -EINVAL,
	       "an image that was not prepared");
	ok_error(&err, "was not prepared", "is refused");
	err = (struct error)ERROR_INIT;
	ok_int(sign_image(k, uki.image.data, 100, &out, &err), -EINVAL, "the beginning of an image");
	ok_int(out.len, 0, "and nothing came out of any of them");
	err = (struct error)ERROR_INIT;
	ok_int(sign_attach(k, other.data, other.len, signature.data, signature.len, &out, &err), 0,
	       "the right one is taken (%s)", err.message);
	keyring_fixture_close(&f);
	keyring_fixture_close(&g);
}

static void test_key_elsewhere(void)
{
	CLEANUP_PREDICTED_UKI struct predicted_uki uki;
	CLEANUP_BUF struct buf out = BUF_INIT(SIZE_MAX);
	CLEANUP_KEYRING struct keyring *k = NULL;
	struct error err = ERROR_INIT;
	struct keyring_fixture f;

	keyring_fixture_open(&f, true);
	k = keyring_fixture_read(&f);
	free(k->entries[2].key);
	k->entries[2].key = string_copy(KEYRING_NO_KEY);
	predicted_uki_begin(&uki, IMAGE_MAGIC("257"));
	predicted_uki_write(&uki);
	ok_int(sign_image(k, uki.image.data, uki.image.len, &out, &err), -EINVAL, "a key that is elsewhere does not sign");
	ok_error(&err, "kiln sign --attach", "the message says what to do");
	err = (struct error)ERROR_INIT;
	ok_int(sign_prepare(k, uki.image.data, uki.image.len, &out, &err), 0, "but the image is prepared");
	keyring_fixture_close(&f);
}

int main(void)
{
	test_direct_and_detached(false);
	test_direct_and_detached(true);
	test_one_size();
	test_refused();
	test_key_elsewhere();
	return tap_done();
}
