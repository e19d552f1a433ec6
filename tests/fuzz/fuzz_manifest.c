/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "factory/base/error.h"
#include "factory/model/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read is written as text that reads as the same. */
static void check(const struct manifest *m)
{
	CLEANUP_BUF struct buf first = BUF_INIT(1 << 24), second = BUF_INIT(1 << 24);
	CLEANUP_MANIFEST struct manifest *again = NULL;
	struct error err = ERROR_INIT;

	if (strchr(m->disk_file, '/') || manifest_format(m, &first, &err) < 0 ||
	    manifest_parse(first.data, first.len, "f", &again, &err) < 0 ||
	    manifest_format(again, &second, &err) < 0)
		abort();
	if (first.len != second.len || memcmp(first.data, second.data, first.len) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct manifest *m = NULL;
	struct error err = ERROR_INIT;
	int r = manifest_parse(data, size, "f", &m, &err);

	if (r == 0)
		check(m);
	else if (m || err.kind != ERROR_INPUT || strncmp(err.message, "f:", 2) != 0)
		abort();
	manifest_free(m);
	return 0;
}
