/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "factory/format/verity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct verity_superblock sb;

	/* What /init relies on when it writes the device-mapper table. */
	if (!verity_parse(data, size, &sb) &&
	    (sb.salt_size > sizeof(sb.salt) || strcspn(sb.algorithm, " \t\n") > 32 ||
	     sb.data_blocks > UINT64_MAX / sb.data_block_size))
		abort();
	return 0;
}
