/* SPDX-License-Identifier: Apache-2.0 */
#include "screen.h"

#include <string.h>

#define CELL_WIDTH 8
#define CELL_HEIGHT 16
#define SIDE_MAX 16384

/* A number and the one blank behind it. */
static bool take_number(const uint8_t **at, const uint8_t *end, unsigned int *ret)
{
	const uint8_t *p = *at;
	unsigned int n = 0;

	for (; p < end && *p >= '0' && *p <= '9' && n <= SIDE_MAX; p++)
		n = n * 10 + (*p - '0');
	if (p == *at || p == end || (*p != ' ' && *p != '\n') || n == 0 || n > SIDE_MAX)
		return false;
	*at = p + 1;
	*ret = n;
	return true;
}

bool screen_parse(const uint8_t *file, size_t size, struct screen *ret)
{
	const uint8_t *at = file + 3, *end = file + size;
	struct screen s;
	unsigned int most;

	if (size < 3 || memcmp(file, "P6\n", 3) != 0)
		return false;
	if (!take_number(&at, end, &s.width) || !take_number(&at, end, &s.height) || !take_number(&at, end, &most) ||
	    most != 255 || (size_t)(end - at) != (size_t)s.width * s.height * 3)
		return false;
	s.pixels = at;
	*ret = s;
	return true;
}

static bool cell_differs(const struct screen *a, const struct screen *b, unsigned int x, unsigned int y)
{
	const unsigned int columns = a->width - x < CELL_WIDTH ? a->width - x : CELL_WIDTH;

	for (unsigned int row = y; row < a->height && row < y + CELL_HEIGHT; row++) {
		const size_t at = ((size_t)row * a->width + x) * 3;

		if (memcmp(a->pixels + at, b->pixels + at, columns * 3) != 0)
			return true;
	}
	return false;
}

size_t screen_difference(const struct screen *a, const struct screen *b)
{
	size_t count = 0;

	if (a->width != b->width || a->height != b->height)
		return SIZE_MAX;
	for (unsigned int y = 0; y < a->height; y += CELL_HEIGHT)
		for (unsigned int x = 0; x < a->width; x += CELL_WIDTH)
			count += cell_differs(a, b, x, y);
	return count;
}
