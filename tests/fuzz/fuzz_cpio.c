/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "factory/base/error.h"
#include "factory/format/cpio_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	struct cpio_entry e;
	size_t offset = 0, before = 0;
	int r;

	while ((r = cpio_next(data, size, &offset, &e, &err)) > 0) {
		const uint8_t *end = data + size;

		if (offset <= before || offset > size || (const uint8_t *)e.name < data ||
		    (const uint8_t *)e.name + strlen(e.name) >= end || e.data < data || e.size > (size_t)(end - e.data))
			abort();
		before = offset;
	}
	if (r < 0 && r != -ENOMSG && err.kind != ERROR_INPUT)
		abort();
	return 0;
}
