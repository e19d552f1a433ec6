/* SPDX-License-Identifier: Apache-2.0 */
#include "hmac.h"

#include <string.h>

#include "digest.h"
#include "secret.h"

#define BLOCK 64	/* of SHA-256 */

/* H(key xor pad || data) */
static void digest_padded(const uint8_t key[static BLOCK], uint8_t pad, const void *data, size_t size,
			  struct digest *ret)
{
	CLEANUP_DIGESTER struct digester *d = digester_new(DIGEST_SHA256);
	uint8_t block[BLOCK];

	for (size_t i = 0; i < BLOCK; i++)
		block[i] = key[i] ^ pad;
	digester_add(d, block, BLOCK);
	digester_add(d, data, size);
	digester_final(d, ret);
	secret_wipe(block, sizeof(block));
}

void hmac_sha256(const void *key, size_t key_size, const void *data, size_t size, uint8_t ret[static HMAC_SIZE])
{
	uint8_t block[BLOCK] = { 0 };
	struct digest inner, outer;

	if (key_size > BLOCK) {
		digest_of(DIGEST_SHA256, key, key_size, &inner);
		memcpy(block, inner.bytes, HMAC_SIZE);
	} else if (key_size) {
		memcpy(block, key, key_size);
	}
	digest_padded(block, 0x36, data, size, &inner);
	digest_padded(block, 0x5c, inner.bytes, HMAC_SIZE, &outer);
	memcpy(ret, outer.bytes, HMAC_SIZE);
	secret_wipe(block, sizeof(block));
	secret_wipe(&inner, sizeof(inner));
	secret_wipe(&outer, sizeof(outer));
}
