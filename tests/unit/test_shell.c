/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/cleanup.h"
#include "factory/base/error.h"
#include "factory/base/process.h"
#include "rootfs/shell.h"

static const char *const words[] = {
	"", "plain", "two words", "it's", "''", "$HOME `id` $(id) \\n \"q\"", "a\nb", "-n", "*?[a]", "\x01\xff;&|<>",
};

/* The shell itself is the judge. */
static void test_round_trip(const char *word)
{
	CLEANUP_BUF struct buf script = BUF_INIT(4096), output = BUF_INIT(4096);
	struct error err = ERROR_INIT;

	ok(shell_assign(&script, "word", word) == 0, "assigns");
	ok(buf_add_string(&script, "printf '%s' \"$word\"") == 0, "script");

	const char *const argv[] = { "sh", "-c", buf_text(&script), NULL };
	int r = process_run(&(struct process_options) { .argv = argv, .output = &output }, NULL, &err);

	ok(r == 0, "the shell takes it: %s", err.message);
	ok_str(buf_text(&output), word, "and has the same word");
}

int main(void)
{
	CLEANUP_BUF struct buf small = BUF_INIT(8);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		test_round_trip(words[i]);
	ok(shell_quote(&small, "longer than that") < 0, "a full buffer is an error");
	return tap_done();
}
