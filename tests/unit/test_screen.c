/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/buf.h"
#include "vm-test/screen.h"

static void picture(unsigned int width, unsigned int height, struct buf *ret)
{
	need(buf_printf(ret, "P6\n%u %u\n255\n", width, height) == 0, "a head");
	need(buf_fill(ret, 0, (size_t)width * height * 3) == 0, "and pixels");
}

static void test_parse(void)
{
	static const char *const bad[] = {
		"", "P6", "P6\n", "P5\n1 1\n255\n000", "P6\n1 1\n255\n00", "P6\n1 1\n255\n0000", "P6\n0 1\n255\n", "P6\n1 1\n256\n000",
		"P6\n1 1\n254\n000", "P6\n99999999999 1\n255\n000", "P6\n1 1\n255", "P6\n 1 1\n255\n000", "P6\n1x1\n255\n000",
	};
	CLEANUP_BUF struct buf file = BUF_INIT(4096);
	struct screen s;

	picture(3, 2, &file);
	ok(screen_parse(file.data, file.len, &s), "a pixmap");
	ok(s.width == 3 && s.height == 2 && s.pixels + 18 == file.data + file.len, "of that size");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ok(!screen_parse((const uint8_t *)bad[i], strlen(bad[i]), &s), "no pixmap: %zu", i);
}

static void test_difference(void)
{
	CLEANUP_BUF struct buf a = BUF_INIT(65536), b = BUF_INIT(65536), c = BUF_INIT(65536);
	struct screen sa, sb, sc;

	picture(20, 40, &a);
	picture(20, 40, &b);
	picture(21, 40, &c);
	need(screen_parse(a.data, a.len, &sa) && screen_parse(b.data, b.len, &sb) && screen_parse(c.data, c.len, &sc), "three");
	ok_int(screen_difference(&sa, &sb), 0, "equal");
	b.data[b.len - 1] = 1;
	ok_int(screen_difference(&sa, &sb), 1, "the last pixel, in a place that is cut off");
	b.data[b.len - 4] = 1;
	ok_int(screen_difference(&sa, &sb), 1, "two pixels of one place");
	b.data[b.len - 20 * 40 * 3] = 1;
	ok_int(screen_difference(&sa, &sb), 2, "the first pixel as well");
	ok(screen_difference(&sa, &sc) == SIZE_MAX, "screens of two sizes");
}

int main(void)
{
	test_parse();
	test_difference();
	return tap_done();
}
