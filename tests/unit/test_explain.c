/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/base/buf.h"
#include "factory/explain.h"
#include "factory/explain_inputs.h"
#include "factory/model/stage_key.h"
#include "tests/unit/tap.h"

#define FORM STAGE_KEY_FORM "\n"

static void test_inputs(void)
{
	static const struct {
		const char *what, *then, *now, *told;
		size_t count;
	} cases[] = {
		{ "nothing", "string\ta\t\tx\n", "string\ta\t\tx\n", "", 0 },
		{ "a short text", "string\tcmdline\t\tquiet\n", "string\tcmdline\t\tdebug\n",
		  "cmdline: \"quiet\" -> \"debug\"\n", 1 },
		{ "a text of many lines", "string\tscript\t\ta\\x0ab\\x0ac\n", "string\tscript\t\ta\\x0aB\\x0ac\n",
		  "script: line 2: \"b\" -> \"B\"\n", 1 },
		{ "a line more at the end", "string\tscript\t\ta\n", "string\tscript\t\ta\\x0ab\n",
		  "script: line 1: \"a\" -> \"a\"\n", 1 },
		{ "what steers terminals", "string\ta\t\t\\x1b[2J\n", "string\ta\t\ty\n", "a: \"?[2J\" -> \"y\"\n", 1 },
		{ "a text that is given now", "none\tlocale\t\t\n", "string\tlocale\t\tC\n", "locale: now \"C\"\n", 1 },
		{ "and one that is not", "string\tlocale\t\tC\n", "none\tlocale\t\t\n", "locale: no more, was \"C\"\n", 1 },
		{ "a number", "number\tsize\t\t3\n", "number\tsize\t\t4\n", "size: \"3\" -> \"4\"\n", 1 },
		{ "one of many", "string\tmodule\t\ta\nstring\tmodule\t\tb\n", "string\tmodule\t\ta\n",
		  "module: \"b\" is gone\n", 1 },
		{ "their order", "string\tm\t\ta\nstring\tm\t\tb\n", "string\tm\t\tb\nstring\tm\t\ta\n",
		  "the order of its inputs changed\n", 1 },
		{ "a package", "package\tpackages\tlibc6:amd64\t2.41-12 aa\npackages\tpackages\t\tdd\n",
		  "package\tpackages\tlibc6:amd64\t2.41-13 bb\npackages\tpackages\t\tee\n",
		  "packages: libc6:amd64 2.41-12 -> 2.41-13\n", 2 },
		{ "a package's bytes", "package\tp\tx:all\t1 aa\n", "package\tp\tx:all\t1 bb\n",
		  "p: x:all 1 with other contents\n", 1 },
		{ "a set's other facts", "packages\tp\t\tdd\n", "packages\tp\t\tee\n",
		  "p: the same packages come from elsewhere\n", 1 },
		{ "a file's contents", "file\toverlay\tetc/hostname\t0644 1 aa\n", "file\toverlay\tetc/hostname\t0644 1 bb\n",
		  "overlay: etc/hostname changed\n", 1 },
		{ "a file's mode", "file\toverlay\ta\t0644 1 aa\n", "file\toverlay\ta\t0600 1 aa\n",
		  "overlay: a has mode 0600, had 0644\n", 1 },
		{ "a directory's", "directory\toverlay\t\t0755\n", "directory\toverlay\t\t0700\n",
		  "overlay has mode 0700, had 0755\n", 1 },
		{ "a link's target", "link\toverlay\ta\tb\n", "link\toverlay\ta\tc\n", "overlay: a changed\n", 1 },
		{ "a file that became a link", "file\toverlay\ta\t0644 1 aa\n", "link\toverlay\ta\tc\n",
		  "overlay: a was a file and is a link\n", 1 },
		{ "a file alone", "file\tconfig.sh\t\t0755 1 aa\n", "file\tconfig.sh\t\t0755 1 bb\n", "config.sh changed\n", 1 },
		{ "more than is shown", "", "file\to\ta\t1 1 a\nfile\to\tb\t1 1 a\nfile\to\tc\t1 1 a\n"
		  "file\to\td\t1 1 a\nfile\to\te\t1 1 a\n",
		  "o: a is new\no: b is new\no: c is new\no: and 2 more\n", 5 },
		{ "an artifact", "artifact\troot.erofs\terofs\t1/x\n", "artifact\troot.erofs\terofs\t2/x\n",
		  "input root.erofs of stage erofs is new\n", 1 },
		{ "what cannot be read", "\\\n", "number\ta\t\t1\n", "a: \"1\" is new\n", 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP_BUF struct buf then = BUF_INIT(4096), now = BUF_INIT(4096), told = BUF_INIT(SIZE_MAX);
		size_t count;

		need(buf_printf(&then, FORM "%s", cases[i].then) == 0 && buf_printf(&now, FORM "%s", cases[i].now) == 0,
		     "memory");
		count = explain_inputs(buf_text(&then), buf_text(&now), &told);
		ok_str(buf_text(&told), cases[i].told, "%s", cases[i].what);
		ok_int(count, cases[i].count, "%s: counted", cases[i].what);
	}
}

static void test_rows(void)
{
	CLEANUP_BUF struct buf text = BUF_INIT(SIZE_MAX);

	explain_row(NULL, NULL, NULL, &text);
	explain_row("base", "reused", "", &text);
	explain_row("config", "rebuilt", "one\ntwo\n", &text);
	ok_str(buf_text(&text), "STAGE      THIS BUILD  BECAUSE\n"
				"base       reused\n"
				"config     rebuilt     one\n"
				"                       two\n", "a table");
}

int main(void)
{
	test_inputs();
	test_rows();
	return tap_done();
}
