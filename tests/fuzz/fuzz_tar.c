/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "factory/base/error.h"
#include "factory/format/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	struct tar_entry e;
	size_t offset = 0;

	while (tar_next(data, size, &offset, &e, &err) > 0)
		/* Every byte that is handed out must be the caller's. */
		if (e.size > size || e.data < data || e.data > data + size - e.size || strstr(e.path, "/../"))
			abort();
	return 0;
}
