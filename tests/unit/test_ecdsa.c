/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>

#include "factory/base/buf.h"
#include "factory/base/cleanup.h"
#include "factory/base/digest.h"
#include "factory/base/hex.h"
#include "keys/ecdsa.h"
#include "tests/unit/tap.h"

/* RFC 6979, A.2.5: the key, and its signatures with SHA-256. */
#define KEY "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"
#define PUBLIC_X "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
#define PUBLIC_Y "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"

static EVP_PKEY *make_key(void)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	uint8_t public[65] = { 4 };
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params;
	BIGNUM *d = NULL;

	need(hex_decode(PUBLIC_X, public + 1, 32) == 0 && hex_decode(PUBLIC_Y, public + 33, 32) == 0 &&
	     BN_hex2bn(&d, KEY), "the numbers");
	OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, d);
	OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, public, sizeof(public));
	params = OSSL_PARAM_BLD_to_param(build);
	need(EVP_PKEY_fromdata_init(ctx) == 1 && EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) == 1, "the key");
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	BN_free(d);
	return key;
}

static void check(const EVP_PKEY *key, const char *message, const char *r, const char *s)
{
	CLEANUP_BUF struct buf der = BUF_INIT(100);
	struct error err = ERROR_INIT;
	struct digest digest;
	ECDSA_SIG *signature;
	const uint8_t *at;
	char *text;

	digest_of(DIGEST_SHA256, message, strlen(message), &digest);
	need(ecdsa_sign(key, digest.bytes, &der, &err) == 0, "\"%s\" is signed (%s)", message, err.message);
	at = der.data;
	signature = d2i_ECDSA_SIG(NULL, &at, (long)der.len);
	need(signature && at == der.data + der.len, "as DER");
	text = BN_bn2hex(ECDSA_SIG_get0_r(signature));
	ok_str(text, r, "r of \"%s\"", message);
	OPENSSL_free(text);
	text = BN_bn2hex(ECDSA_SIG_get0_s(signature));
	ok_str(text, s, "s of \"%s\"", message);
	OPENSSL_free(text);
	ECDSA_SIG_free(signature);
}

int main(void)
{
	EVP_PKEY *key = make_key();

	check(key, "sample", "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
	      "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8");
	check(key, "test", "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367",
	      "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083");
	EVP_PKEY_free(key);
	return tap_done();
}
