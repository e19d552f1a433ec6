/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "hex.h"

static const char digits[] = "0123456789abcdef";

void hex_encode(const uint8_t *data, size_t size, char *ret)
{
	for (size_t i = 0; i < size; i++) {
		ret[2 * i] = digits[data[i] >> 4];
		ret[2 * i + 1] = digits[data[i] & 15];
	}
	ret[2 * size] = '\0';
}

/* Not isxdigit(), which asks the locale. */
static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int byte_value(const char *text)
{
	int high = digit_value(text[0]);
	int low = high < 0 ? -1 : digit_value(text[1]);

	return low < 0 ? -1 : high << 4 | low;
}

int hex_decode(const char *text, uint8_t *ret, size_t size)
{
	/* Everything is checked before the first byte is written: `ret` stays as it was on failure. */
	for (size_t i = 0; i < size; i++)
		if (byte_value(text + 2 * i) < 0)
			return -EINVAL;
	if (text[2 * size] != '\0')
		return -EINVAL;
	for (size_t i = 0; i < size; i++)
		ret[i] = (uint8_t)byte_value(text + 2 * i);
	return 0;
}

/* Where the bytes of the text form lie in memory: the first three fields are little-endian. */
static const uint8_t guid_order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

static int dash_before(size_t i)
{
	return i == 4 || i == 6 || i == 8 || i == 10;
}

void guid_format(const uint8_t guid[static 16], char ret[static GUID_TEXT_SIZE])
{
	char *p = ret;

	for (size_t i = 0; i < ARRAY_SIZE(guid_order); i++) {
		if (dash_before(i))
			*p++ = '-';
		hex_encode(guid + guid_order[i], 1, p);
		p += 2;
	}
}

int guid_parse(const char *text, uint8_t ret[static 16])
{
	uint8_t guid[16];
	int value;

	for (size_t i = 0; i < ARRAY_SIZE(guid_order); i++) {
		if (dash_before(i) && *text++ != '-')
			return -EINVAL;
		value = byte_value(text);
		if (value < 0)
			return -EINVAL;
		guid[guid_order[i]] = (uint8_t)value;
		text += 2;
	}
	if (*text != '\0')
		return -EINVAL;
	memcpy(ret, guid, sizeof(guid));
	return 0;
}
