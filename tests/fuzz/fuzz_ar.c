/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "factory/base/bytes.h"
#include "factory/base/error.h"
#include "factory/format/ar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	struct ar_member m;

	if (ar_find(data, size, "data.tar", &m, &err) == 0 &&
	    !range_fits((uint64_t)(m.data - data), m.size, size))
		abort();
	return 0;
}
