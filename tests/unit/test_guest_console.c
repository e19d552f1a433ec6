/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/cleanup.h"
#include "rootfs/guest_console.h"

static const struct {
	const char *line;
	bool ok;
	uint64_t done, total;
	const char *unit;
} lines[] = {
	{ "kiln-progress 3 92 packages", true, 3, 92, "packages" },
	{ "kiln-progress 0 0 MiB\r", true, 0, 0, "MiB" },
	{ "kiln-progress 1 2 two words", true, 1, 2, "two words" },
	{ "kiln-progress 18446744073709551615 1 x", true, UINT64_MAX, 1, "x" },
	{ "kiln-progress 18446744073709551616 1 x", false, 0, 0, NULL },
	{ "kiln-progress 3 92", false, 0, 0, NULL },
	{ "kiln-progress 3 92 ", false, 0, 0, NULL },
	{ "kiln-progress -3 92 packages", false, 0, 0, NULL },
	{ "kiln-progress  3 92 packages", false, 0, 0, NULL },
	{ "kiln-progress 3x 92 packages", false, 0, 0, NULL },
	{ "kiln-progress 1 2 a-unit-that-is-far-too-long-to-show", false, 0, 0, NULL },
	{ "[    0.1] kiln-progress 1 2 packages", false, 0, 0, NULL },
	{ "", false, 0, 0, NULL },
};

static void test_progress(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct guest_progress p = { .done = 7 };
		bool found = guest_progress_parse(lines[i].line, &p);

		ok(found == lines[i].ok, "\"%s\" is %sprogress", lines[i].line, lines[i].ok ? "" : "no ");
		if (found)
			ok(p.done == lines[i].done && p.total == lines[i].total &&
				   strcmp(p.unit, lines[i].unit) == 0, "its numbers and unit");
		else
			ok(p.done == 7, "nothing is touched");
	}
}

/* Pieces of any size, and a line longer than the buffer. */
static void test_pieces(void)
{
	static const char text[] = "boot\nkiln-progress 1 2 packages\nrest";
	struct guest_console c = { .len = 0 };
	char flood[1000];

	for (size_t i = 0; i < strlen(text); i++)
		guest_console_add(&c, text + i, 1);
	ok(c.len == 4, "the last line is kept until it ends");
	memset(flood, 'x', sizeof(flood));
	guest_console_add(&c, flood, sizeof(flood));
	ok(c.len == sizeof(c.line) - 1, "a long line is bounded");
	guest_console_add(&c, "\n", 1);
	ok(c.len == 0, "and ends like any other");
}

static void test_tail(void)
{
	struct guest_console c = { .len = 0 };
	char words[600], flood[1000];

	guest_console_last_words(&c, words, sizeof(words));
	ok_str(words, "", "a console that said nothing");
	guest_console_add(&c, "qemu: out \0of order\n", 20);
	guest_console_last_words(&c, words, sizeof(words));
	ok_str(words, "qemu: out of order", "what it said, without a NUL");
	for (size_t i = 0; i < 300; i++)
		guest_console_add(&c, "filling\n", 8);
	guest_console_add(&c, "panic\n", 6);
	ok(c.tail_len == sizeof(c.tail), "the tail is bounded");
	guest_console_last_words(&c, words, sizeof(words));
	ok(strcmp(words + strlen(words) - 14, "filling; panic") == 0, "the last comes last");
	memset(flood, 'x', sizeof(flood));
	memcpy(flood + sizeof(flood) - 4, "end\n", 4);
	guest_console_add(&c, flood, sizeof(flood));
	ok(c.tail_len == sizeof(c.tail) && memcmp(c.tail + sizeof(c.tail) - 4, "end\n", 4) == 0,
	   "of one piece longer than it, the end");
}

static void test_last_words(void)
{
	char words[40], tiny[8];

	guest_last_words("", words, sizeof(words));
	ok_str(words, "", "nothing said");
	guest_last_words("\n\n", words, sizeof(words));
	ok_str(words, "", "nothing but newlines");
	guest_last_words("E: Disk full\n", words, sizeof(words));
	ok_str(words, "E: Disk full", "one line");
	guest_last_words("  one\n\n two\t three\r\n", words, sizeof(words));
	ok_str(words, "one; two three", "lines are parted, blanks folded");
	guest_last_words("a first line that is long\nthe end\n", words, sizeof(words));
	ok_str(words, "the end", "what does not fit goes by whole lines");
	guest_last_words("onelinewithoutanybreakinitatall", words, sizeof(words));
	ok_str(words, "outanybreakinitatall", "or by bytes when there is one line only");
	guest_last_words("a\nb\nc\nd\ne\nf\n", tiny, sizeof(tiny));
	ok(strlen(tiny) < sizeof(tiny), "never more than there is room for");
}

int main(void)
{
	test_progress();
	test_pieces();
	test_tail();
	test_last_words();
	return tap_done();
}
