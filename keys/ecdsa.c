/* SPDX-License-Identifier: Apache-2.0 */
#include "ecdsa.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/obj_mac.h>

#include "../factory/base/buf.h"
#include "openssl_error.h"

#define SIZE ECDSA_DIGEST_SIZE	/* of a digest, of a number below the group's order, of an HMAC */

/* RFC 6979, 3.2: the generator's state. */
struct generator {
	uint8_t key[SIZE], value[SIZE];
};

/* A signature in the making. The private numbers are in `secure` memory where OpenSSL has a secure heap. */
struct signing {
	EC_GROUP *group;
	EC_POINT *point;
	BN_CTX *ctx;
	const BIGNUM *order;
	BIGNUM *private, *nonce, *inverse, *digest, *exponent, *r, *s;
};

static void signing_clear(struct signing *g)
{
	BIGNUM *const numbers[] = { g->private, g->nonce, g->inverse, g->digest, g->exponent, g->r, g->s };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		BN_clear_free(numbers[i]);
	EC_POINT_clear_free(g->point);
	EC_GROUP_free(g->group);
	BN_CTX_free(g->ctx);
}
#define CLEANUP_SIGNING __attribute__((cleanup(signing_clear)))

static bool signing_begin(struct signing *g, const EVP_PKEY *key, const uint8_t *digest)
{
	g->group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	g->ctx = BN_CTX_secure_new();
	g->point = g->group ? EC_POINT_new(g->group) : NULL;
	g->order = g->group ? EC_GROUP_get0_order(g->group) : NULL;
	g->nonce = BN_secure_new();
	g->inverse = BN_secure_new();
	g->digest = BN_bin2bn(digest, SIZE, NULL);
	g->exponent = BN_new();
	g->r = BN_new();
	g->s = BN_new();
	if (!g->ctx || !g->point || !g->order || !g->nonce || !g->inverse || !g->digest || !g->exponent || !g->r ||
	    !g->s)
		return false;
	BN_set_flags(g->nonce, BN_FLG_CONSTTIME);
	return EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &g->private) == 1 &&
	       BN_mod(g->digest, g->digest, g->order, g->ctx) == 1;
}

/* ---------------------------------------------------------------- the nonce */

static bool hmac(const struct generator *g, const uint8_t *data, size_t size, uint8_t *ret)
{
	return HMAC(EVP_sha256(), g->key, SIZE, data, size, ret, NULL) != NULL;
}

/* K = HMAC(K, V || step || seed), V = HMAC(K, V) */
static bool stir(struct generator *g, uint8_t step, const uint8_t *seed, size_t seed_size)
{
	uint8_t data[SIZE + 1 + 2 * SIZE];
	bool good;

	memcpy(data, g->value, SIZE);
	data[SIZE] = step;
	memcpy(data + SIZE + 1, seed, seed_size);
	good = hmac(g, data, SIZE + 1 + seed_size, g->key) && hmac(g, g->value, SIZE, g->value);
	OPENSSL_cleanse(data, sizeof(data));
	return good;
}

static bool generator_begin(struct generator *g, const struct signing *s)
{
	uint8_t seed[2 * SIZE];
	bool good;

	memset(g->value, 1, SIZE);
	memset(g->key, 0, SIZE);
	good = BN_bn2binpad(s->private, seed, SIZE) == SIZE && BN_bn2binpad(s->digest, seed + SIZE, SIZE) == SIZE &&
	       stir(g, 0, seed, sizeof(seed)) && stir(g, 1, seed, sizeof(seed));
	OPENSSL_cleanse(seed, sizeof(seed));
	return good;
}

/* ---------------------------------------------------------------- the signature */

/* r = x(kG) mod n, s = (z + r d) / k mod n; 1 / k as k^(n-2), whose time does not tell of k. */
static bool compute(struct signing *g)
{
	return EC_POINT_mul(g->group, g->point, g->nonce, NULL, NULL, g->ctx) == 1 &&
	       EC_POINT_get_affine_coordinates(g->group, g->point, g->r, NULL, g->ctx) == 1 &&
	       BN_mod(g->r, g->r, g->order, g->ctx) == 1 &&
	       BN_copy(g->exponent, g->order) && BN_sub_word(g->exponent, 2) == 1 &&
	       BN_mod_exp_mont_consttime(g->inverse, g->nonce, g->exponent, g->order, g->ctx, NULL) == 1 &&
	       BN_mod_mul(g->s, g->r, g->private, g->order, g->ctx) == 1 &&
	       BN_mod_add(g->s, g->s, g->digest, g->order, g->ctx) == 1 &&
	       BN_mod_mul(g->s, g->s, g->inverse, g->order, g->ctx) == 1;
}

static bool find_signature(struct signing *g, struct generator *generator)
{
	while (hmac(generator, generator->value, SIZE, generator->value)) {
		if (!BN_bin2bn(generator->value, SIZE, g->nonce))
			return false;
		if (!BN_is_zero(g->nonce) && BN_cmp(g->nonce, g->order) < 0) {
			if (!compute(g))
				return false;
			if (!BN_is_zero(g->r) && !BN_is_zero(g->s))
				return true;
		}
		if (!stir(generator, 0, generator->value, 0))
			return false;
	}
	return false;
}

static bool add_der(struct signing *g, struct buf *ret)
{
	ECDSA_SIG *signature = ECDSA_SIG_new();
	uint8_t *der = NULL;
	int size = -1;

	if (signature && ECDSA_SIG_set0(signature, g->r, g->s) == 1) {
		g->r = g->s = NULL;
		size = i2d_ECDSA_SIG(signature, &der);
	}
	if (size > 0 && buf_add(ret, der, (size_t)size) < 0)
		error_no_memory();
	OPENSSL_free(der);
	ECDSA_SIG_free(signature);
	return size > 0;
}

int ecdsa_sign(const EVP_PKEY *key, const uint8_t digest[static ECDSA_DIGEST_SIZE], struct buf *ret, struct error *err)
{
	CLEANUP_SIGNING struct signing g = { .group = NULL };
	struct generator generator;
	bool good = signing_begin(&g, key, digest) && generator_begin(&generator, &g) &&
		    find_signature(&g, &generator) && add_der(&g, ret);

	OPENSSL_cleanse(&generator, sizeof(generator));
	return good ? 0 : openssl_outside(err, "OpenSSL cannot sign with a P-256 key");
}
