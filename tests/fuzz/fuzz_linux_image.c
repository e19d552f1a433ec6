/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>

#include "factory/format/linux_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct linux_payload payload;

	if (linux_image_payload(data, size, &payload) && (payload.offset > size || payload.size > size - payload.offset))
		abort();
	(void)linux_image_starts_by_pvh(data, size);
	return 0;
}
