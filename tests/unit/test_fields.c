/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/base/fields.h"

#include <errno.h>

#include "factory/base/buf.h"
#include "tests/unit/tap.h"

static void test_lines(void)
{
	CLEANUP_BUF struct buf text = BUF_INIT(SIZE_MAX);
	char *fields[4], *at;

	fields_add(&text, "a", "", "b\tc\nd\\e\x7f\xc3\xa9");
	fields_add(&text, "last");
	ok_str(buf_text(&text), "a\t\tb\\x09c\\x0ad\\\\e\\x7f\xc3\xa9\nlast\n", "written");
	at = (char *)text.data;
	ok_int(fields_next(&at, fields, 4), 3, "three fields");
	ok_str(fields[0], "a", "the first");
	ok_str(fields[1], "", "an empty one");
	ok_str(fields[2], "b\tc\nd\\e\x7f\xc3\xa9", "one of escapes");
	ok(!fields[3], "the rest is NULL");
	ok_int(fields_next(&at, fields, 4), 1, "the next line");
	ok_str(fields[0], "last", "its field");
	ok_int(fields_next(&at, fields, 4), 0, "the end");
}

static void test_refusals(void)
{
	static const char *const bad[] = {
		"no newline", "a\tb\tc\n", "\\\n", "\\n\n", "\\x\n", "\\x1\n", "\\xzz\n", "\\x00\n", "a\\\t\\\n",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[32], *at = text, *fields[2];

		snprintf(text, sizeof(text), "%s", bad[i]);
		ok_int(fields_next(&at, fields, 2), -EINVAL, "refused: bad line %zu", i);
	}
}

int main(void)
{
	test_lines();
	test_refusals();
	return tap_done();
}
