/* SPDX-License-Identifier: Apache-2.0 */
#include "tamper_find.h"

#include <string.h>
#include <zstd.h>

#include "../factory/base/bytes.h"

/* What one compressed block can become; more than EROFS's largest. */
#define PLAIN_MAX (1 << 20)

/* Does the frame that ends with the block hold the text? */
static bool is_in_frame(const uint8_t *frame, size_t size, const char *text)
{
	static uint8_t plain[PLAIN_MAX];
	size_t n;

	if (size < 8 || read_le32(frame) != ZSTD_MAGICNUMBER)
		return false;
	n = ZSTD_decompress(plain, sizeof(plain), frame, size);
	return !ZSTD_isError(n) && memmem(plain, n, text, strlen(text));
}

static bool find_in_block(const uint8_t *block, const char *text, size_t *ret)
{
	const uint8_t *found = memmem(block, TAMPER_BLOCK, text, strlen(text));
	size_t at = 0;

	if (found) {
		*ret = (size_t)(found - block);
		return true;
	}
	while (at < TAMPER_BLOCK && !block[at])
		at++;
	/* The middle of the frame: neither its header nor its end. */
	*ret = at + (TAMPER_BLOCK - at) / 2;
	return is_in_frame(block + at, TAMPER_BLOCK - at, text);
}

bool tamper_find(const uint8_t *image, size_t size, const char *text, uint64_t *ret)
{
	for (size_t at = 0; size - at >= TAMPER_BLOCK; at += TAMPER_BLOCK) {
		size_t within;

		if (find_in_block(image + at, text, &within)) {
			*ret = at + within;
			return true;
		}
	}
	return false;
}
