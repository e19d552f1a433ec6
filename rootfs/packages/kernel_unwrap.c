/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_unwrap.h"

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/format/linux_image.h"
#include "decompress.h"

#define KERNEL_MAX (256 << 20)

static int unpack(const struct io_map *map, const struct linux_payload *payload, const char *from, struct buf *ret,
		  struct error *err)
{
	CLEANUP_FREE char *name = string_printf("%s%s", from, payload->suffix);

	return decompress(name, map->data + payload->offset, payload->size, ret, err);
}

int kernel_unwrap(const char *from, const char *to, bool *ret_done, struct error *err)
{
	CLEANUP_BUF struct buf kernel = BUF_INIT(KERNEL_MAX);
	CLEANUP_IO_MAP struct io_map map = { .data = NULL };
	struct linux_payload payload;
	int r = io_map_file(from, &map, err);

	*ret_done = false;
	if (r < 0 || !linux_image_payload(map.data, map.size, &payload))
		return r;
	r = unpack(&map, &payload, from, &kernel, err);
	if (r < 0 || !linux_image_starts_by_pvh(kernel.data, kernel.len))
		return r;
	r = io_write_file(to, kernel.data, kernel.len, 0644, err);
	*ret_done = r == 0;
	return r;
}
