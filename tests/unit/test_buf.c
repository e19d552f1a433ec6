/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>

#include "factory/base/buf.h"
#include "tests/unit/tap.h"

static void text(void)
{
	CLEANUP_BUF struct buf b = BUF_INIT(100);

	ok_str(buf_text(&b), "", "an empty buffer is the empty text");
	ok_int(buf_add_string(&b, "one"), 0, "add text");
	ok_int(buf_printf(&b, "-%d-%s", 2, "three"), 0, "printf");
	ok_str(buf_text(&b), "one-2-three", "text");
	ok_int(b.len, 11, "length");
	buf_truncate(&b, 3);
	ok_str(buf_text(&b), "one", "truncated text ends");
	buf_truncate(&b, 50);
	ok_int(b.len, 3, "truncate never grows");
	buf_free(&b);
	ok_int(b.len, 0, "freed");
	ok_int(b.max, 100, "free keeps the ceiling");
	ok_int(buf_add_string(&b, "again"), 0, "usable after free");
	ok_int(buf_add(&b, NULL, 0), 0, "nothing can be added");
	ok_str(buf_text(&b), "again", "and changes nothing");
}

static void ceiling(void)
{
	CLEANUP_BUF struct buf b = BUF_INIT(4);
	CLEANUP_BUF struct buf endless = BUF_INIT(SIZE_MAX);
	uint8_t *room = NULL;

	ok_int(buf_add(&b, "abcd", 4), 0, "up to the ceiling");
	ok_int(buf_add(&b, "e", 1), -EFBIG, "one more is too much");
	ok_int(buf_printf(&b, "%d", 5), -EFBIG, "by printf too");
	ok_int(buf_fill(&b, 0, SIZE_MAX), -EFBIG, "SIZE_MAX does not overflow");
	ok_int(buf_align(&b, 3), -EFBIG, "by align too");
	ok_int(buf_reserve(&b, 1, &room), -EFBIG, "by reserve too");
	ok(room == NULL, "a failed reserve leaves its output alone");
	ok_str(buf_text(&b), "abcd", "a failed call changes nothing");
	ok(buf_fill(&endless, 0, SIZE_MAX) < 0, "SIZE_MAX bytes and a NUL do not overflow");
}

static void integers(void)
{
	static const uint8_t expected[] = { 0x34, 0x12, 0x78, 0x56, 0x34, 0x12,
					    8, 7, 6, 5, 4, 3, 2, 1,
					    0x12, 0x34, 0x12, 0x34, 0x56, 0x78 };
	CLEANUP_BUF struct buf b = BUF_INIT(64);

	ok_int(buf_add_le16(&b, 0x1234), 0, "le16");
	ok_int(buf_add_le32(&b, 0x12345678), 0, "le32");
	ok_int(buf_add_le64(&b, 0x0102030405060708), 0, "le64");
	ok_int(buf_add_be16(&b, 0x1234), 0, "be16");
	ok_int(buf_add_be32(&b, 0x12345678), 0, "be32");
	ok(b.len == sizeof(expected) && memcmp(b.data, expected, b.len) == 0, "their bytes");
}

static void growth(void)
{
	CLEANUP_BUF struct buf b = BUF_INIT(1 << 20);
	uint8_t *room = NULL;
	bool same = true;

	for (int i = 0; i < 100000; i++)
		if (buf_fill(&b, (uint8_t)i, 1) < 0)
			same = false;
	for (int i = 0; i < 100000; i++)
		same = same && b.data[i] == (uint8_t)i;
	ok(same && b.len == 100000, "100000 bytes one by one");
	ok_int(b.data[b.len], 0, "a NUL behind them");
	ok_int(buf_align(&b, 4096), 0, "align");
	ok_int(b.len, 102400, "aligned length");
	ok_int(b.data[100000] | b.data[102399], 0, "filled with zeros");
	ok_int(buf_align(&b, 4096), 0, "aligned already");
	ok_int(b.len, 102400, "stays so");
	ok_int(buf_reserve(&b, 10, &room), 0, "reserve");
	ok(room == b.data + b.len && b.len == 102400, "room behind the end");
	memset(room, 1, 10);
}

int main(void)
{
	text();
	ceiling();
	integers();
	growth();
	return tap_done();
}
