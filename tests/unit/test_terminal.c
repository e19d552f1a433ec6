/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/base/cleanup.h"
#include "tests/unit/tap.h"
#include "vm-test/terminal.h"

int main(void)
{
	static const struct {
		const char *typed, *passed;
		bool quit;
	} cases[] = {
		{ "ls\r", "ls\r", false },
		{ "\003", "\003", false },
		{ "\001x", "", true },
		{ "a\001Xb", "ab", true },
		{ "\001\001", "\001", false },
		{ "\001\001x", "\001x", false },
		{ "\001qx", "x", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct terminal whole = TERMINAL_INIT, pieces = TERMINAL_INIT;
		CLEANUP_BUF struct buf got = BUF_INIT(64);

		terminal_feed(&whole, cases[i].typed, strlen(cases[i].typed), &got);
		ok_str(buf_text(&got), cases[i].passed, "case %zu: what the machine gets", i);
		ok_int(whole.quit, cases[i].quit, "case %zu: whether it ends", i);
		for (const char *key = cases[i].typed; *key; key++)
			terminal_feed(&pieces, key, 1, &got);
		ok(pieces.quit == cases[i].quit && got.len == 2 * strlen(cases[i].passed),
		   "case %zu: the same key by key", i);
	}
	return tap_done();
}
