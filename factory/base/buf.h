/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_BUF_H
#define KILN_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A growing byte buffer with a ceiling. Invariants: data[len] is always a NUL byte once anything
 * was allocated (so text can be read as a C string), len <= max, and a failed call leaves the
 * contents as they were. -EFBIG: max would be passed; -ENOMEM: no memory. No struct error: callers
 * know what the bytes were for.
 */
struct buf {
	uint8_t *data;
	size_t len;
	size_t cap;
	size_t max;
};

#define BUF_INIT(limit) { .max = (limit) }

int buf_add(struct buf *b, const void *data, size_t size);
int buf_add_string(struct buf *b, const char *text);
int buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Appends `size` bytes of value `byte`. */
int buf_fill(struct buf *b, uint8_t byte, size_t size);
/* Appends zeros until len is a multiple of `alignment` (any positive number). */
int buf_align(struct buf *b, size_t alignment);
int buf_add_le16(struct buf *b, uint16_t v);
int buf_add_le32(struct buf *b, uint32_t v);
int buf_add_le64(struct buf *b, uint64_t v);
int buf_add_be16(struct buf *b, uint16_t v);
int buf_add_be32(struct buf *b, uint32_t v);
/* Room for `size` more bytes; *ret points at data + len, len is unchanged. */
int buf_reserve(struct buf *b, size_t size, uint8_t **ret);
void buf_truncate(struct buf *b, size_t len);
/* The text, never NULL ("" when empty). Valid until the next change. */
const char *buf_text(const struct buf *b);
/* Frees, and makes the buffer empty again with the same max. */
void buf_free(struct buf *b);

#define CLEANUP_BUF __attribute__((cleanup(buf_free)))

#endif
