/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_UTF16_H
#define KILN_FORMAT_UTF16_H

#include <stddef.h>
#include <stdint.h>

#include "../base/bytes.h"

/* Room for the UTF-8 of `units` UTF-16 units: three bytes at most for each, and a NUL. */
#define UTF16_TO_UTF8_MAX(units) (3 * (units) + 1)

static inline size_t utf8_put(uint32_t c, char *ret)
{
	size_t continued = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	static const uint8_t lead[] = {0x00, 0xc0, 0xe0, 0xf0};

	ret[0] = (char)(lead[continued] | c >> (6 * continued));
	for (size_t i = 1; i <= continued; i++)
		ret[i] = (char)(0x80 | (c >> (6 * (continued - i)) & 0x3f));
	return continued + 1;
}

/*
 * Little-endian UTF-16 up to a NUL or `units` units, as text that is safe to print: a surrogate
 * without its other half becomes '?', and so does a control character. Header only, because GPT is
 * read in the initrd too. Returns the length.
 */
static inline size_t utf16le_to_utf8(const uint8_t *text, size_t units, char *ret)
{
	size_t len = 0;

	for (size_t i = 0; i < units; i++) {
		uint32_t c = read_le16(text + 2 * i);
		uint32_t low = i + 1 < units ? read_le16(text + 2 * i + 2) : 0;

		if (c == 0)
			break;
		if (c >= 0xd800 && c < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			i++;
		} else if ((c >= 0xd800 && c < 0xe000) || c < 0x20 || (c >= 0x7f && c < 0xa0)) {
			c = '?';
		}
		len += utf8_put(c, ret + len);
	}
	ret[len] = '\0';
	return len;
}

#endif
