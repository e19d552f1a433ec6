/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "factory/base/buf.h"
#include "factory/base/error.h"
#include "factory/format/auth_variable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read, but for more certificates than one, is what the writer writes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_BUF struct buf again = BUF_INIT(SIZE_MAX);
	struct error err = ERROR_INIT;
	struct auth_variable v;
	int r = auth_variable_parse(data, size, &v, &err);

	if ((r < 0) != (err.kind == ERROR_INPUT))
		abort();
	if (r < 0)
		return 0;
	auth_variable_write(v.time, &v.signature, v.value, &again);
	err = (struct error)ERROR_INIT;
	if (auth_variable_parse(again.data, again.len, &v, &err) < 0)
		abort();
	return 0;
}
