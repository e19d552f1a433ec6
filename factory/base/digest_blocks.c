/* SPDX-License-Identifier: Apache-2.0 */
#include "digest_blocks.h"

#include <string.h>

#include "digest.h"

void digest_blocks(const void *salt, size_t salt_size, const uint8_t *blocks, size_t block_size,
		   size_t count, uint8_t *ret)
{
	CLEANUP_DIGESTER struct digester *d = digester_new(DIGEST_SHA256);
	const size_t size = digest_size(DIGEST_SHA256);
	struct digest digest;

	for (size_t i = 0; i < count; i++) {
		digester_add(d, salt, salt_size);
		digester_add(d, blocks + i * block_size, block_size);
		digester_final(d, &digest);
		memcpy(ret + i * size, digest.bytes, size);
	}
}
