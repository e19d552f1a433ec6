/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "base/process.h"
#include "compare_part.h"

#define CHUNK ((size_t)1 << 20)

uint64_t compare_bytes(const struct compare_span *a, const struct compare_span *b)
{
	size_t common = a->size < b->size ? a->size : b->size, i = 0;

	if (common == 0 || memcmp(a->data, b->data, common) == 0)
		return a->size == b->size ? COMPARE_SAME : common;
	while (a->data[i] == b->data[i])
		i++;
	return i;
}

/* The next place, from `position` of the range on, that is no hole. */
static int next_data(const struct compare_range *range, uint64_t position, uint64_t size, uint64_t *ret,
		     struct error *err)
{
	uint64_t start = 0, stop = 0;
	int r = io_next_data(range->fd, range->offset + position, range->offset + size, &start, &stop,
			     range->name, err);

	if (r == 0)
		*ret = start - range->offset;
	return r;
}

/* Where both have only a hole both have zeros. */
static int skip_holes(const struct compare_range *a, const struct compare_range *b, uint64_t size,
		      uint64_t *position, struct error *err)
{
	uint64_t in_a = 0, in_b = 0;
	int r = next_data(a, *position, size, &in_a, err);

	if (r == 0)
		r = next_data(b, *position, size, &in_b, err);
	if (r == 0)
		*position = in_a < in_b ? in_a : in_b;
	return r;
}

static int read_chunk(const struct compare_range *range, uint64_t position, uint8_t *chunk, size_t size,
		      struct error *err)
{
	return io_pread_full(range->fd, chunk, size, range->offset + position, range->name, err);
}

static int compare_common(const struct compare_range *a, const struct compare_range *b, uint64_t size,
			  uint8_t *chunk_a, uint8_t *chunk_b, uint64_t *ret, struct error *err)
{
	struct compare_span in_a = { .data = chunk_a }, in_b = { .data = chunk_b };
	uint64_t position = 0, at;
	int r = 0;

	while (r == 0 && (r = skip_holes(a, b, size, &position, err)) == 0 && position < size) {
		size_t piece = size - position < CHUNK ? (size_t)(size - position) : CHUNK;

		r = process_check_interrupt(err);
		if (r == 0)
			r = read_chunk(a, position, chunk_a, piece, err);
		if (r == 0)
			r = read_chunk(b, position, chunk_b, piece, err);
		in_a.size = in_b.size = piece;
		at = r == 0 ? compare_bytes(&in_a, &in_b) : COMPARE_SAME;
		if (at != COMPARE_SAME) {
			*ret = position + at;
			return 0;
		}
		position += piece;
	}
	if (r == 0)
		*ret = COMPARE_SAME;
	return r;
}

int compare_ranges(const struct compare_range *a, const struct compare_range *b, uint64_t *ret,
		   struct error *err)
{
	uint64_t size = a->size < b->size ? a->size : b->size, at = COMPARE_SAME;
	CLEANUP_FREE uint8_t *chunks = malloc(2 * CHUNK);
	int r;

	if (!chunks)
		error_no_memory();
	r = compare_common(a, b, size, chunks, chunks + CHUNK, &at, err);
	if (r < 0)
		return r;
	*ret = at == COMPARE_SAME && a->size != b->size ? size : at;
	return 0;
}
