/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/base/cleanup.h"
#include "tests/unit/tap.h"
#include "vm-test/console.h"

static void feed(struct console *c, const char *text)
{
	console_feed(c, text, strlen(text));
}

static void tail_is(const struct console *c, size_t max, const char *expected, const char *what)
{
	CLEANUP_BUF struct buf tail = BUF_INIT(8192);

	need(console_tail(c, max, &tail) == 0, "the tail can be had");
	ok_str(buf_text(&tail), expected, "%s", what);
}

static void test_lines(void)
{
	struct console c = CONSOLE_INIT;
	struct console many = CONSOLE_INIT;

	tail_is(&c, 1000, "", "an empty console has no lines");
	feed(&c, "one\r\ntwo\r\n\r\n  \r\nthr");
	tail_is(&c, 1000, "one\ntwo\nthr", "lines, without blank ones, with the unfinished one");
	feed(&c, "ee");
	tail_is(&c, 1000, "one\ntwo\nthree", "a line comes in pieces");
	tail_is(&c, 10, "two\nthree", "only what fits, from the newest back");

	for (int i = 0; i < 3 * CONSOLE_LINES; i++) {
		char line[32];

		snprintf(line, sizeof(line), "line %d\n", i);
		feed(&many, line);
	}
	tail_is(&many, 24, "line 46\nline 47", "the ring keeps the newest");
}

static void test_control(void)
{
	struct console c = CONSOLE_INIT;

	feed(&c, "\033[2J\033[01;01H\033[=3hBdsDxe: a\033[2J\033[01;01Hb\tc\007\x80\xff\x1b=d");
	tail_is(&c, 1000, "BdsDxe: a\nb cd", "control sequences part lines and are not shown");
}

static void test_long(void)
{
	struct console c = CONSOLE_INIT;
	char line[3 * CONSOLE_LINE_MAX + 1], cut[CONSOLE_LINE_MAX + 1];

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	memcpy(cut, line, CONSOLE_LINE_MAX);
	cut[CONSOLE_LINE_MAX] = '\0';
	feed(&c, line);
	tail_is(&c, 1000, cut, "a long line is cut");
}

static void test_fatal(void)
{
	static const struct {
		const char *text, *fatal;
	} cases[] = {
		{ "all is well\n", "" },
		{ "Kernel panic - not syn", "" },
		{ "[    3.1] Kernel panic - not syncing: VFS: no root\nmore\n",
		  "Kernel panic - not syncing: VFS: no root" },
		{ "\033[2JBdsDxe: No bootable option or device was found.\r\nPress any key",
		  "BdsDxe: No bootable option or device was found." },
		{ "Kernel panic - not syncing: first\nKernel panic - not syncing: second\n",
		  "Kernel panic - not syncing: first" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct console c = CONSOLE_INIT;

		feed(&c, cases[i].text);
		ok_str(c.fatal, cases[i].fatal, "what ends a machine, case %zu", i);
	}
}

int main(void)
{
	test_lines();
	test_control();
	test_long();
	test_fatal();
	return tap_done();
}
