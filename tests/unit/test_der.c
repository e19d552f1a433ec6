/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "factory/base/buf.h"
#include "factory/base/cleanup.h"
#include "factory/format/der.h"
#include "tests/unit/tap.h"

static void test_lengths(void)
{
	static const struct {
		size_t size, head;
	} cases[] = { { 0, 2 }, { 127, 2 }, { 128, 3 }, { 255, 3 }, { 256, 4 }, { 65535, 4 }, { 65536, 5 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_BUF struct buf b = BUF_INIT(SIZE_MAX);
		struct error err = ERROR_INIT;
		struct der all, inner;

		buf_fill(&b, 7, cases[i].size);
		der_wrap(&b, DER_OCTET_STRING, 0);
		ok_int(b.len, cases[i].head + cases[i].size, "%zu bytes have a head of %zu", cases[i].size, cases[i].head);
		all = (struct der) { b.data, b.len };
		ok(der_next(&all, DER_OCTET_STRING, "it", &inner, &err) == 0 && inner.size == cases[i].size && all.size == 0,
		   "and are read back: %s", err.message);
	}
}

static void test_nesting(void)
{
	static const uint8_t expected[] = { 0x30, 0x08, 0x02, 0x01, 0x05, 0x31, 0x03, 0x05, 0x00, 0x09 };
	CLEANUP_BUF struct buf b = BUF_INIT(SIZE_MAX);
	size_t set;

	der_add(&b, DER_INTEGER, "\x05", 1);
	set = b.len;
	der_add(&b, DER_NULL, "", 0);
	der_add_raw(&b, "\x09", 1);
	der_wrap(&b, DER_SET, set);
	der_wrap(&b, DER_SEQUENCE, 0);
	ok(b.len == sizeof(expected) && memcmp(b.data, expected, b.len) == 0, "values in values");
}

static void test_refused(void)
{
	static const struct {
		const char *what, *message;
		uint8_t bytes[8];
		size_t size;
	} cases[] = {
		{ "nothing", "cut short", { 0 }, 0 },
		{ "a tag alone", "cut short", { 0x30 }, 1 },
		{ "another tag", "has tag 0x31, not 0x30", { 0x31, 0 }, 2 },
		{ "an indefinite length", "no DER", { 0x30, 0x80, 0, 0 }, 4 },
		{ "a length cut short", "no DER", { 0x30, 0x82, 1 }, 3 },
		{ "a length of five bytes", "no DER", { 0x30, 0x85, 1, 1, 1, 1, 1 }, 7 },
		{ "a long form for a short length", "could be shorter", { 0x30, 0x81, 1, 0 }, 4 },
		{ "a leading zero in a length", "could be shorter", { 0x30, 0x82, 0, 0x80 }, 4 },
		{ "a length beyond the end", "says it has 3 bytes, of 2 left", { 0x30, 3, 0, 0 }, 4 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct der all = { cases[i].bytes, cases[i].size }, inner;
		struct error err = ERROR_INIT;

		ok_int(der_next(&all, DER_SEQUENCE, "it", &inner, &err), -EINVAL, "refused: %s", cases[i].what);
		ok_error(&err, cases[i].message, "for that reason");
	}
}

int main(void)
{
	test_lengths();
	test_nesting();
	test_refused();
	return tap_done();
}
