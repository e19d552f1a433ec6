/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/cleanup.h"
#include "factory/base/size_text.h"

int main(void)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} sizes[] = {
		{ 0, "0 B" },
		{ 1, "1 B" },
		{ 1023, "1023 B" },
		{ 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" },
		{ (1 << 20) - 1, "1.0 MiB" },
		{ 72037376, "68.7 MiB" },
		{ UINT64_MAX, "16.0 EiB" },
	};
	static const struct {
		uint64_t before, after;
		const char *text;
	} changes[] = {
		{ 5, 5, "+0 B" }, { 0, 2048, "+2.0 KiB" }, { 1000, 20, "-980 B" }, { UINT64_MAX, 0, "-16.0 EiB" },
	};
	char text[SIZE_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_text(sizes[i].bytes, text);
		ok_str(text, sizes[i].text, "%" PRIu64 " bytes", sizes[i].bytes);
	}
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		size_change_text(changes[i].before, changes[i].after, text);
		ok_str(text, changes[i].text, "a change");
	}
	return tap_done();
}
