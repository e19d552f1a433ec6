/* SPDX-License-Identifier: Apache-2.0 */
#include "der.h"

#include <string.h>

#include "../base/buf.h"
#include "../base/error.h"

#define LENGTH_BYTES_MAX 4

/* ---------------------------------------------------------------- reading */

uint8_t der_peek(const struct der *d)
{
	return d->size > 0 ? d->data[0] : 0;
}

/* X.690 10.1: definite, in as few bytes as can be. *ret_head is the size of tag and length together. */
static int read_length(const struct der *d, const char *what, size_t *ret_head, size_t *ret_size, struct error *err)
{
	size_t length, bytes;

	if (d->size < 2)
		return error_input(err, "%s is cut short", what);
	length = d->data[1];
	*ret_head = 2;
	if (length & 0x80) {
		bytes = length & 0x7f;
		if (bytes == 0 || bytes > LENGTH_BYTES_MAX || d->size < 2 + bytes)
			return error_input(err, "%s has a length that is no DER", what);
		length = 0;
		for (size_t i = 0; i < bytes; i++)
			length = length << 8 | d->data[2 + i];
		if (length < 0x80 || length >> (8 * (bytes - 1)) == 0)
			return error_input(err, "%s has a length that is no DER: it could be shorter", what);
		*ret_head += bytes;
	}
	if (length > d->size - *ret_head)
		return error_input(err, "%s says it has %zu bytes, of %zu left", what, length, d->size - *ret_head);
	*ret_size = length;
	return 0;
}

static int take(struct der *d, uint8_t tag, const char *what, size_t *ret_head, size_t *ret_size, struct error *err)
{
	if (d->size > 0 && d->data[0] != tag)
		return error_input(err, "%s has tag 0x%02x, not 0x%02x", what, d->data[0], tag);
	return read_length(d, what, ret_head, ret_size, err);
}

int der_next_whole(struct der *d, uint8_t tag, const char *what, struct der *ret, struct error *err)
{
	size_t head = 0, size = 0;
	int r = take(d, tag, what, &head, &size, err);

	if (r < 0)
		return r;
	*ret = (struct der) { d->data, head + size };
	*d = (struct der) { d->data + head + size, d->size - head - size };
	return 0;
}

int der_next(struct der *d, uint8_t tag, const char *what, struct der *ret, struct error *err)
{
	size_t head = 0, size = 0;
	int r = take(d, tag, what, &head, &size, err);

	if (r < 0)
		return r;
	*ret = (struct der) { d->data + head, size };
	*d = (struct der) { d->data + head + size, d->size - head - size };
	return 0;
}

int der_end(const struct der *d, const char *what, struct error *err)
{
	return d->size == 0 ? 0 : error_input(err, "%s has %zu bytes more than it should", what, d->size);
}

/* ---------------------------------------------------------------- writing */

void der_add_raw(struct buf *b, const void *data, size_t size)
{
	if (buf_add(b, data, size) < 0)
		error_no_memory();
}

void der_wrap(struct buf *b, uint8_t tag, size_t from)
{
	size_t size = b->len - from, head = 2;
	uint8_t header[2 + sizeof(size)] = { tag };

	if (size < 0x80) {
		header[1] = (uint8_t)size;
	} else {
		size_t bytes = 1;

		while (size >> (8 * bytes) != 0)
			bytes++;
		header[1] = (uint8_t)(0x80 | bytes);
		for (size_t i = 0; i < bytes; i++)
			header[head++] = (uint8_t)(size >> (8 * (bytes - 1 - i)));
	}
	if (buf_fill(b, 0, head) < 0)
		error_no_memory();
	memmove(b->data + from + head, b->data + from, size);
	memcpy(b->data + from, header, head);
}

void der_add(struct buf *b, uint8_t tag, const void *data, size_t size)
{
	size_t from = b->len;

	der_add_raw(b, data, size);
	der_wrap(b, tag, from);
}
