/* SPDX-License-Identifier: Apache-2.0 */
#include "upload/ini.h"

#include <errno.h>

#include "factory/base/buf.h"
#include "factory/base/cleanup.h"
#include "tests/unit/tap.h"

static struct ini *parse(const char *text)
{
	struct error err = ERROR_INIT;
	struct ini *ini = NULL;

	need(ini_parse(text, strlen(text), "config", &ini, &err) == 0, "parsed (%s)", err.message);
	return ini;
}

static void test_values(void)
{
	CLEANUP_INI struct ini *ini = parse(
		"# a comment\n"
		"[default]\n"
		"Region = us-east-1\n"
		"  ; another\n"
		"key=a = b # c\n"
		"empty =\n"
		"\n"
		"[profile one]\r\n"
		"region=eu-west-1\r\n"
		"  output = json  \r\n"
		"[default]\n"
		"region = us-west-2");

	ok_str(ini_get(ini, "default", "region"), "us-west-2", "a later value counts, whatever the key's case");
	ok_str(ini_get(ini, "default", "key"), "a = b # c",
	       "only the first \"=\" parts, and a \"#\" in a value is part of it");
	ok_str(ini_get(ini, "default", "empty"), "", "an empty value");
	ok_str(ini_get(ini, "profile one", "region"), "eu-west-1\noutput = json",
	       "a line that is indented deeper goes on");
	ok(!ini_get(ini, "profile one", "output"), "and is no key");
	ok(!ini_get(ini, "default", "none"), "no such key");
	ok(!ini_get(ini, "none", "region"), "no such section");
	ok(ini_has(ini, "profile one") && !ini_has(ini, "profile two"), "which sections there are");
}

static void test_nested(void)
{
	CLEANUP_INI struct ini *ini = parse(
		"[services local]\n"
		"ebs =\n"
		"  endpoint_url = http://127.0.0.1:1\n"
		"\n"
		"  # between\n"
		"  Other = 2\n"
		"ec2 =\n"
		"  endpoint_url = http://127.0.0.1:2\n"
		"[x]\n"
		"  a = 1\n"
		"  b = 2\n");

	ok_str(ini_get(ini, "services local", "ebs.endpoint_url"), "http://127.0.0.1:1", "a value below a key");
	ok_str(ini_get(ini, "services local", "ebs.other"), "2", "another");
	ok_str(ini_get(ini, "services local", "ec2.endpoint_url"), "http://127.0.0.1:2", "one below the next");
	ok_str(ini_get(ini, "x", "b"), "2", "keys that are all indented alike are keys");
}

static void test_names(void)
{
	CLEANUP_INI struct ini *ini = parse(
		"\xef\xbb\xbf[ profile \"my own\" ] ; why not\n"
		"a = 1\n"
		"[\tprofile   'x']# so\n"
		"a = 2\n");

	ok_str(ini_get(ini, "profile my own", "a"), "1", "quotes in a section's name");
	ok_str(ini_get(ini, "profile x", "a"), "2", "and blanks");
}

static void test_refused(void)
{
	static const struct {
		const char *text, *complaint;
	} cases[] = {
		{ "a = 1\n", "config:1: a value stands before the first section" },
		{ "[x]\n\nsecret\n", "config:3: this line is neither" },
		{ "[x\n", "config:1: a section's name has no \"]\"" },
		{ "[]\n", "config:1: a section's name is empty" },
		{ "[\"x]\n", "config:1: a section's name is empty, or a quote" },
		{ "[x] y\n", "config:1: something follows" },
		{ "[x]\n= secret\n", "config:2: a value has no key" },
		{ "[x]\na =\n  secret\n", "config:3: this line is neither" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;
		struct ini *ini = NULL;

		ok_int(ini_parse(cases[i].text, strlen(cases[i].text), "config", &ini, &err), -EINVAL,
		       "refused: case %zu", i);
		ok_error(&err, cases[i].complaint, "by file and line");
		ok(!strstr(err.message, "secret"), "without what stands there");
		ok(!ini, "and nothing comes out");
	}
}

static void test_limits(void)
{
	CLEANUP_BUF struct buf text = BUF_INIT(SIZE_MAX);
	struct error err = ERROR_INIT;
	struct ini *ini = NULL;

	ok_int(ini_parse("[x]\na\0b = 1\n", 12, "config", &ini, &err), -EINVAL, "a NUL byte");
	need(buf_fill(&text, '#', INI_SIZE_MAX + 1) == 0, "a large text");
	ok_int(ini_parse(buf_text(&text), text.len, "config", &ini, &err), -EINVAL, "too large");
	ok_int(ini_parse(buf_text(&text), text.len - 1, "config", &ini, &err), 0, "just not too large");
	ini_freep(&ini);
	ok_int(ini_parse("", 0, "config", &ini, &err), 0, "an empty file is one");
	ok(!ini_has(ini, ""), "without sections");
	ini_free(ini);
}

int main(void)
{
	test_values();
	test_nested();
	test_names();
	test_refused();
	test_limits();
	return tap_done();
}
