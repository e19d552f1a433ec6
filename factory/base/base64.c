/* SPDX-License-Identifier: Apache-2.0 */
#include "base64.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "buf.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_encode(const uint8_t *data, size_t size, struct buf *ret)
{
	size_t len = ret->len;
	int r = 0;

	for (size_t i = 0; r == 0 && i < size; i += 3) {
		size_t left = size - i < 3 ? size - i : 3;
		uint32_t v = (uint32_t)data[i] << 16 | (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
			     (left > 2 ? data[i + 2] : 0);
		const char group[4] = {
			digits[v >> 18], digits[v >> 12 & 63],
			left > 1 ? digits[v >> 6 & 63] : '=',
			left > 2 ? digits[v & 63] : '=',
		};

		r = buf_add(ret, group, sizeof(group));
	}
	if (r < 0)
		buf_truncate(ret, len);
	return r;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Groups of four; padding only at the end, and the bits that it leaves over are zero. */
int base64_decode(const char *text, size_t size, struct buf *ret)
{
	unsigned int in_group = 0, padding = 0;
	size_t len = ret->len;
	uint32_t v = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < size; i++) {
		const char *digit;
		uint8_t bytes[3];

		if (is_blank(text[i]))
			continue;
		digit = text[i] ? strchr(digits, text[i]) : NULL;
		if (text[i] == '=' && in_group >= 2)
			padding++;
		else if (!digit || padding > 0)
			r = -EINVAL;
		v = v << 6 | (digit ? (uint32_t)(digit - digits) : 0);
		if (r < 0 || ++in_group < 4)
			continue;
		bytes[0] = (uint8_t)(v >> 16);
		bytes[1] = (uint8_t)(v >> 8);
		bytes[2] = (uint8_t)v;
		if ((padding == 1 && bytes[2]) || (padding == 2 && (bytes[1] || bytes[2])))
			r = -EINVAL;
		else
			r = buf_add(ret, bytes, 3 - padding);
		v = in_group = 0;
	}
	if (r == 0 && in_group != 0)
		r = -EINVAL;
	if (r < 0)
		buf_truncate(ret, len);
	return r;
}
