/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_DIGEST_BLOCKS_H
#define KILN_BASE_DIGEST_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

/*
 * SHA-256 of salt || block for each of `count` blocks of `block_size` bytes, which lie one after another;
 * the digests, 32 bytes each, likewise in `ret`. For trees of many small messages.
 */
void digest_blocks(const void *salt, size_t salt_size, const uint8_t *blocks, size_t block_size,
		   size_t count, uint8_t *ret);

#endif
