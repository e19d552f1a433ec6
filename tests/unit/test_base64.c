/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "factory/base/base64.h"
#include "factory/base/buf.h"
#include "factory/base/cleanup.h"
#include "tests/unit/tap.h"

/* RFC 4648, 10. */
static void test_vectors(void)
{
	static const char *const cases[][2] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" }, { "\xfb\xff\xbf", "+/+/" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_BUF struct buf text = BUF_INIT(100), back = BUF_INIT(100);

		ok(base64_encode((const uint8_t *)cases[i][0], strlen(cases[i][0]), &text) == 0, "encoded");
		ok_str(buf_text(&text), cases[i][1], "as \"%s\"", cases[i][1]);
		ok_int(base64_decode(cases[i][1], strlen(cases[i][1]), &back), 0, "decoded");
		ok_str(buf_text(&back), cases[i][0], "as it was");
	}
}

static void test_refused(void)
{
	static const char *const cases[] = {
		"Z", "Zg", "Zg=", "Zg===", "Zg==Zg==", "=Zg=", "Z=g=", "Zm9v!", "Zh==", "Zm9=", "Zm-_", "====",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_BUF struct buf back = BUF_INIT(100);

		buf_add(&back, "before", 6);
		ok_int(base64_decode(cases[i], strlen(cases[i]), &back), -EINVAL, "refused: \"%s\"", cases[i]);
		ok_str(buf_text(&back), "before", "and nothing is appended");
	}
}

static void test_limits(void)
{
	CLEANUP_BUF struct buf small = BUF_INIT(3);

	ok_int(base64_encode((const uint8_t *)"foo", 3, &small), -EFBIG, "encoding stops at the buffer's limit");
	ok_int(base64_decode("Zm9vYg==", 8, &small), -EFBIG, "and so does decoding");
	ok_int(base64_decode(" Zm\n9v\r\n", 8, &small), 0, "blanks and line ends may stand anywhere");
	ok_str(buf_text(&small), "foo", "and count for nothing");
}

int main(void)
{
	test_vectors();
	test_refused();
	test_limits();
	return tap_done();
}
