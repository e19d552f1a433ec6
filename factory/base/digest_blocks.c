/* SPDX-License-Identifier: Apache-2.0 */
#include "digest_blocks.h"

#include <string.h>

#include "digest.h"
#include "sha256_pair.h"

#define SIZE 32

static void digest_pair(const void *salt, size_t salt_size, const uint8_t *blocks, size_t block_size,
			uint8_t *ret)
{
	struct sha256 a, b;

	sha256_init(&a);
	sha256_init(&b);
	sha256_add_pair(&a, salt, &b, salt, salt_size);
	sha256_add_pair(&a, blocks, &b, blocks + block_size, block_size);
	sha256_digest(&a, ret);
	sha256_digest(&b, ret + SIZE);
}

void digest_blocks(const void *salt, size_t salt_size, const uint8_t *blocks, size_t block_size,
		   size_t count, uint8_t *ret)
{
	CLEANUP_DIGESTER struct digester *d = NULL;
	bool pairs = sha256_pair_supported();
	struct digest digest;

	for (; pairs && count >= 2; count -= 2, blocks += 2 * block_size, ret += 2 * SIZE)
		digest_pair(salt, salt_size, blocks, block_size, ret);
	for (; count > 0; count--, blocks += block_size, ret += SIZE) {
		if (!d)
			d = digester_new(DIGEST_SHA256);
		digester_add(d, salt, salt_size);
		digester_add(d, blocks, block_size);
		digester_final(d, &digest);
		memcpy(ret, digest.bytes, SIZE);
	}
}
