/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include <errno.h>

#include "factory/base/cleanup.h"
#include "rootfs/packages/release.h"
#include "rootfs/packages/stanza.h"

static const char *words(const char *text)
{
	static char joined[256];
	struct text rest = text_of(text), word;

	joined[0] = '\0';
	while (text_word(&rest, &word))
		snprintf(joined + strlen(joined), sizeof(joined) - strlen(joined), "%.*s|",
			 (int)word.size, word.data);
	return joined;
}

static void test_words(void)
{
	struct text rest = text_of("one\n\ntwo"), line;

	ok_str(words(""), "", "no words");
	ok_str(words(" \t\n "), "", "blanks only");
	ok_str(words("  a bc\n d\t"), "a|bc|d|", "words between blanks of every kind");
	ok(text_line(&rest, &line) && text_equal(line, "one"), "a line");
	ok(text_line(&rest, &line) && line.size == 0, "an empty line");
	ok(text_line(&rest, &line) && text_equal(line, "two"), "a last line without newline");
	ok(!text_line(&rest, &line), "and no more");
	ok(text_equal(text_of("x"), "x") && !text_equal(text_of("x"), "xy"), "whole texts compare");
}

static const char packages[] = "\n \nPackage: a\nDepends: b,\n c (>= 1)\npackage-list: no\nSHA256: 12\n"
			       "\t\n\nPackage: b\nEmpty:\nLast: x";

static void test_stanzas(void)
{
	struct text rest = text_of(packages), stanza, value;

	need(stanza_next(&rest, &stanza), "the first stanza");
	ok(stanza_field(stanza, "Package", &value) && text_equal(value, "a"), "a field");
	ok(stanza_field(stanza, "sha256", &value) && text_equal(value, "12"), "case is ignored");
	ok(stanza_field(stanza, "Depends", &value) && text_equal(value, "b,\n c (>= 1)"),
	   "continuation lines belong to it");
	ok(!stanza_field(stanza, "Pack", &value), "names count whole");
	ok(!stanza_field(stanza, "Last", &value), "another stanza's field is not this one's");
	need(stanza_next(&rest, &stanza), "the second stanza");
	ok(stanza_field(stanza, "Empty", &value) && value.size == 0, "an empty value");
	ok(stanza_field(stanza, "Last", &value) && text_equal(value, "x"), "a last line without newline");
	ok(!stanza_next(&rest, &stanza), "no third");
	ok(!stanza_field(text_of(" : x\n"), "", &value), "a line of blanks first is no field");
}

static void test_dates(void)
{
	static const struct {
		const char *release;
		int64_t date;		/* -1: refused */
	} cases[] = {
		{ "Date: Thu, 01 Jan 1970 00:00:00 UTC\n", 0 },
		{ "Origin: D\nDate: Sat, 08 Nov 2025 10:11:12 UTC\n", 1762596672 },
		{ "Date: Sat,  8 Nov 2025 10:11:12 +0000\n", 1762596672 },
		{ "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nDate: Thu, 29 Feb 2024 23:59:59 UTC\n",
		  1709251199 },
		{ "Date: Sat, 08 Nov 2025 10:11:12 CET\n", -1 },
		{ "Date: Sat, 08 Nox 2025 10:11:12 UTC\n", -1 },
		{ "Date: Sat, 08 anF 2025 10:11:12 UTC\n", -1 },
		{ "Date: Sat, 38 Nov 2025 10:11:12 UTC\n", -1 },
		{ "Date: Sat, 08 Nov 2025 10:99:12 UTC\n", -1 },
		{ "Date: yesterday\n", -1 },
		{ "Date: Sat, 08 Nov 2025 10:11:12 UTC and so on, longer than any date that ever was written\n",
		  -1 },
		{ "Origin: D\n", -1 },
		{ "", -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;
		int64_t date = -1;
		int r = release_date(text_of(cases[i].release), "InRelease", &date, &err);

		ok(r == (cases[i].date < 0 ? -EIO : 0) && date == cases[i].date, "date %zu: %" PRId64,
		   i + 1, date);
	}
}

int main(void)
{
	test_words();
	test_stanzas();
	test_dates();
	return tap_done();
}
