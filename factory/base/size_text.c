/* SPDX-License-Identifier: Apache-2.0 */
#include "size_text.h"

#include <stdio.h>

#include "cleanup.h"

void size_text(uint64_t bytes, char ret[static SIZE_TEXT_MAX])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double value = (double)bytes;
	size_t unit = 0;

	/* What "%.1f" would write as 1024.0 belongs to the next unit. */
	while (value >= 1023.95 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1024;
		unit++;
	}
	(void)snprintf(ret, SIZE_TEXT_MAX, "%.*f %s", unit ? 1 : 0, value, units[unit]);
}

void size_change_text(uint64_t before, uint64_t after, char ret[static SIZE_TEXT_MAX])
{
	char size[SIZE_TEXT_MAX];

	size_text(after < before ? before - after : after - before, size);
	(void)snprintf(ret, SIZE_TEXT_MAX, "%c%.*s", after < before ? '-' : '+', SIZE_TEXT_MAX - 2,
		       size);
}
