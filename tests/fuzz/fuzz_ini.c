/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "factory/base/error.h"
#include "upload/ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* AWS's shared files. A complaint never has more of the text in it than a file's name and a line's number. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	struct ini *ini = NULL;
	int r = ini_parse((const char *)data, size, "config", &ini, &err);

	if ((r < 0) != (err.kind == ERROR_INPUT) || (r == 0) != (ini != NULL))
		abort();
	if (r == 0) {
		(void)ini_get(ini, "default", "region");
		(void)ini_get(ini, "services s", "ebs.endpoint_url");
		if (ini_get(ini, "profile p", "role_arn") && !ini_has(ini, "profile p"))
			abort();
	}
	ini_free(ini);
	return 0;
}
