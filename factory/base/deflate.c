/* SPDX-License-Identifier: Apache-2.0 */
#include "deflate.h"

#include <limits.h>

#include <zlib.h>

#include "buf.h"
#include "error.h"

#define CHUNK 16384

void deflate_all(const uint8_t *data, size_t size, struct buf *ret)
{
	uLong bound = compressBound((uLong)size);
	uint8_t *room;

	if (buf_reserve(ret, bound, &room) < 0 ||
	    compress2(room, &bound, data, (uLong)size, Z_BEST_COMPRESSION) != Z_OK)
		error_no_memory();
	ret->len += bound;
	ret->data[ret->len] = '\0';
}

/* Z_OK: there is more; Z_STREAM_END: done; else an error. */
static int inflate_some(z_stream *z, struct buf *ret, struct error *err)
{
	uint8_t chunk[CHUNK];
	int status;

	z->next_out = chunk;
	z->avail_out = sizeof(chunk);
	status = inflate(z, Z_NO_FLUSH);
	if (status == Z_NEED_DICT)
		return error_input(err, "its compressed data needs a preset dictionary (Adler-32 %08lx), which Kiln does not have",
				   z->adler);
	if (status == Z_MEM_ERROR)
		error_no_memory();
	if (status != Z_OK && status != Z_STREAM_END)
		return error_input(err, "its compressed data %s",
				   status == Z_BUF_ERROR ? "is cut short" : "is no zlib stream");
	if (buf_add(ret, chunk, sizeof(chunk) - z->avail_out) < 0)
		return error_input(err, "its compressed data gives more than %zu bytes", ret->max);
	return status;
}

int inflate_all(const uint8_t *data, size_t size, struct buf *ret, struct error *err)
{
	z_stream z = { .next_in = (uint8_t *)(uintptr_t)data, .avail_in = (uInt)size };
	int r = Z_OK;

	if (size > UINT_MAX)
		return error_input(err, "its compressed data is too long");
	if (inflateInit(&z) != Z_OK)
		error_no_memory();
	while (r == Z_OK)
		r = inflate_some(&z, ret, err);
	if (r == Z_STREAM_END)
		r = z.avail_in == 0 ? 0 : error_input(err, "its compressed data has %u bytes behind its end", z.avail_in);
	(void)inflateEnd(&z);
	return r;
}
