/* SPDX-License-Identifier: Apache-2.0 */
#include "init.h"

#include <stdio.h>
#include <string.h>

#define KEY "roothash="
#define BLANKS " \t\n"

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);

	return c && found ? (int)(found - digits) : -1;
}

static bool decode(const char *text, uint8_t ret[static ROOTHASH_SIZE])
{
	for (size_t i = 0; i < ROOTHASH_SIZE; i++) {
		int high = hex_digit(text[2 * i]);
		int low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);

		if (low < 0)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* A GUID's first three fields are little-endian on a disk, and big-endian as text. Its own inverse. */
static void swap_fields(const uint8_t from[static 16], uint8_t to[static 16])
{
	static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

	for (size_t i = 0; i < 16; i++)
		to[i] = from[order[i]];
}

/*
 * Given twice, it is refused: which of them counts must not hang on the order of words. (Whoever can
 * write the command line is measured in doing so, but an error is plainer than a strange PCR 12.)
 */
const char *roothash_parse(const char *command_line, struct roothash *ret)
{
	const char *found = NULL;
	size_t len;

	for (const char *p = command_line; *p; p += len) {
		p += strspn(p, BLANKS);
		len = strcspn(p, BLANKS);
		if (strncmp(p, KEY, strlen(KEY)) != 0)
			continue;
		if (found)
			return "the kernel command line has more than one roothash=";
		found = p + strlen(KEY);
	}
	if (!found)
		return "the kernel command line has no roothash=";
	if (strcspn(found, BLANKS) != 2 * ROOTHASH_SIZE || !decode(found, ret->bytes))
		return "roothash= on the kernel command line is not 64 hex digits";
	swap_fields(ret->bytes, ret->data_id);
	swap_fields(ret->bytes + 16, ret->tree_id);
	return NULL;
}

void hex_format(const uint8_t *data, size_t size, char *ret)
{
	for (size_t i = 0; i < size; i++)
		snprintf(ret + 2 * i, 3, "%02x", data[i]);
	ret[2 * size] = '\0';
}

void partuuid_format(const uint8_t id[static 16], char ret[static PARTUUID_TEXT_SIZE])
{
	uint8_t text_order[16];
	char hex[33];

	swap_fields(id, text_order);
	hex_format(text_order, sizeof(text_order), hex);
	snprintf(ret, PARTUUID_TEXT_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
		 hex + 16, hex + 20);
}
