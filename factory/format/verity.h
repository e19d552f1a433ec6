/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_VERITY_H
#define KILN_FORMAT_VERITY_H

#include <stddef.h>
#include <stdint.h>

/*
 * The dm-verity superblock, version 1 (cryptsetup, docs/v1.x "dm-verity on-disk format"; facts G), read
 * only. Also compiled into /init: depends on nothing but libc and base/bytes.h.
 */
#define VERITY_SUPERBLOCK_SIZE 512

struct verity_superblock {
	uint8_t uuid[16];		/* text order */
	char algorithm[33];		/* "sha256" */
	uint32_t data_block_size, hash_block_size;
	uint64_t data_blocks;
	uint16_t salt_size;
	uint8_t salt[256];
};

/* NULL, or why not. Accepts only hash type 1, block sizes 512..65536 (powers of two), salt <= 256. */
const char *verity_parse(const uint8_t *data, size_t size, struct verity_superblock *ret);

#endif
