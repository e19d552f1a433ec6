/* SPDX-License-Identifier: Apache-2.0 */
#include "verity_write.h"

#include <string.h>

#include "../base/bytes.h"

void verity_write(const struct verity_superblock *sb, uint8_t ret[static VERITY_SUPERBLOCK_SIZE])
{
	memset(ret, 0, VERITY_SUPERBLOCK_SIZE);
	memcpy(ret, "verity\0\0", 8);
	write_le32(ret + 8, 1);		/* version */
	write_le32(ret + 12, 1);	/* hash type: the salt comes first, digests are not padded */
	memcpy(ret + 16, sb->uuid, sizeof(sb->uuid));
	memcpy(ret + 32, sb->algorithm, strlen(sb->algorithm));
	write_le32(ret + 64, sb->data_block_size);
	write_le32(ret + 68, sb->hash_block_size);
	write_le64(ret + 72, sb->data_blocks);
	write_le16(ret + 80, sb->salt_size);
	memcpy(ret + 88, sb->salt, sb->salt_size);
}
