/* SPDX-License-Identifier: Apache-2.0 */
#include "verity.h"

#include <stdbool.h>
#include <string.h>

#include "../base/bytes.h"

#define ALGORITHM_SIZE 32

static bool block_size_valid(uint32_t size)
{
	return size >= 512 && size <= 65536 && (size & (size - 1)) == 0;
}

/* The name goes into a device-mapper table, whose words are separated by blanks. */
static bool algorithm_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";

	return name[0] && name[strspn(name, allowed)] == '\0';
}

const char *verity_parse(const uint8_t *data, size_t size, struct verity_superblock *ret)
{
	struct verity_superblock sb = {.salt_size = 0};
	uint64_t bytes;

	if (size < VERITY_SUPERBLOCK_SIZE)
		return "too short for a verity superblock";
	if (memcmp(data, "verity\0\0", 8) != 0)
		return "no verity signature";
	if (read_le32(data + 8) != 1)
		return "the verity superblock's version is not 1";
	if (read_le32(data + 12) != 1)
		return "the verity hash type is not 1";
	memcpy(sb.uuid, data + 16, sizeof(sb.uuid));
	memcpy(sb.algorithm, data + 32, ALGORITHM_SIZE);
	if (!algorithm_valid(sb.algorithm))
		return "the verity hash algorithm has no proper name";
	sb.data_block_size = read_le32(data + 64);
	sb.hash_block_size = read_le32(data + 68);
	if (!block_size_valid(sb.data_block_size) || !block_size_valid(sb.hash_block_size))
		return "a verity block size is not a power of two from 512 to 65536";
	sb.data_blocks = read_le64(data + 72);
	if (sb.data_blocks == 0 ||
	    __builtin_mul_overflow(sb.data_blocks, sb.data_block_size, &bytes))
		return "the verity superblock's number of data blocks is impossible";
	sb.salt_size = read_le16(data + 80);
	if (sb.salt_size > sizeof(sb.salt))
		return "the verity salt is longer than 256 bytes";
	memcpy(sb.salt, data + 88, sb.salt_size);
	*ret = sb;
	return NULL;
}
