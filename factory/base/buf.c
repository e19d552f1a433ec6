/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "bytes.h"

#define FIRST_CAPACITY 64

/* cap counts the terminating NUL, len and max do not. */
static int make_room(struct buf *b, size_t size)
{
	size_t need, cap;
	uint8_t *data;

	if (b->len > b->max || size > b->max - b->len)
		return -EFBIG;
	if (__builtin_add_overflow(b->len + size, 1, &need))
		return -EFBIG;
	if (need <= b->cap)
		return 0;
	cap = b->cap ? b->cap : FIRST_CAPACITY;
	while (cap < need)
		if (__builtin_mul_overflow(cap, 2, &cap))
			cap = need;
	data = realloc(b->data, cap);
	if (!data)
		return -ENOMEM;
	b->data = data;
	b->cap = cap;
	b->data[b->len] = '\0';
	return 0;
}

static void grow(struct buf *b, size_t size)
{
	b->len += size;
	b->data[b->len] = '\0';
}

int buf_reserve(struct buf *b, size_t size, uint8_t **ret)
{
	int r = make_room(b, size);

	if (r < 0)
		return r;
	*ret = b->data + b->len;
	return 0;
}

int buf_add(struct buf *b, const void *data, size_t size)
{
	int r = make_room(b, size);

	if (r < 0)
		return r;
	if (size)
		memcpy(b->data + b->len, data, size);
	grow(b, size);
	return 0;
}

int buf_add_string(struct buf *b, const char *text)
{
	return buf_add(b, text, strlen(text));
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int size, r;

	va_start(ap, fmt);
	size = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (size < 0)
		return -EINVAL;
	r = make_room(b, (size_t)size);
	if (r < 0)
		return r;
	va_start(ap, fmt);
	(void)vsnprintf((char *)b->data + b->len, (size_t)size + 1, fmt, ap);
	va_end(ap);
	grow(b, (size_t)size);
	return 0;
}

int buf_fill(struct buf *b, uint8_t byte, size_t size)
{
	int r = make_room(b, size);

	if (r < 0)
		return r;
	memset(b->data + b->len, byte, size);
	grow(b, size);
	return 0;
}

int buf_align(struct buf *b, size_t alignment)
{
	size_t over = b->len % alignment;

	return over ? buf_fill(b, 0, alignment - over) : 0;
}

int buf_add_le16(struct buf *b, uint16_t v)
{
	uint8_t bytes[2];

	write_le16(bytes, v);
	return buf_add(b, bytes, sizeof(bytes));
}

int buf_add_le32(struct buf *b, uint32_t v)
{
	uint8_t bytes[4];

	write_le32(bytes, v);
	return buf_add(b, bytes, sizeof(bytes));
}

int buf_add_le64(struct buf *b, uint64_t v)
{
	uint8_t bytes[8];

	write_le64(bytes, v);
	return buf_add(b, bytes, sizeof(bytes));
}

int buf_add_be16(struct buf *b, uint16_t v)
{
	uint8_t bytes[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	return buf_add(b, bytes, sizeof(bytes));
}

int buf_add_be32(struct buf *b, uint32_t v)
{
	uint8_t bytes[4];

	write_be32(bytes, v);
	return buf_add(b, bytes, sizeof(bytes));
}

void buf_truncate(struct buf *b, size_t len)
{
	if (len >= b->len)
		return;
	b->len = len;
	b->data[len] = '\0';
}

const char *buf_text(const struct buf *b)
{
	return b->data ? (const char *)b->data : "";
}

void buf_free(struct buf *b)
{
	free(b->data);
	b->data = NULL;
	b->len = 0;
	b->cap = 0;
}
