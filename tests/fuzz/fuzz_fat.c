/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/base/buf.h"
#include "factory/base/error.h"
#include "factory/format/fat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct volume {
	const uint8_t *data;
	size_t size;
};

/* Every file the walk finds is also read, by its path. */
static int read_entry(const struct fat_entry *e, void *arg)
{
	const struct volume *v = arg;
	struct buf contents = BUF_INIT(1 << 20);
	struct error err = ERROR_INIT;

	(void)fat_read_file(v->data, v->size, e->path, &contents, &err);
	buf_free(&contents);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct volume v = {data, size};
	struct error err = ERROR_INIT;

	(void)fat_walk(data, size, read_entry, &v, &err);
	return 0;
}
