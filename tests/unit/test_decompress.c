/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/base/cleanup.h"
#include "rootfs/packages/decompress.h"
#include "tests/unit/compressed.h"

#define ROOM (1 << 20)

static const struct kind {
	const char *name;
	int filter;
	size_t suffix;
} kinds[] = {
	{ "module.ko.xz", ARCHIVE_FILTER_XZ, 3 },
	{ "module.ko.zst", ARCHIVE_FILTER_ZSTD, 4 },
	{ "module.ko.gz", ARCHIVE_FILTER_GZIP, 3 },
};

static char text[200000];

static void test_kind(const struct kind *k)
{
	CLEANUP_BUF struct buf packed = BUF_INIT(ROOM), plain = BUF_INIT(ROOM), small = BUF_INIT(sizeof(text) - 1);
	struct error err = ERROR_INIT;
	int r;

	compressed_add(k->filter, text, sizeof(text), &packed);
	ok(packed.len < sizeof(text) / 2, "%s: it is compressed", k->name);
	ok_int(decompress_suffix(k->name), k->suffix, "%s: its suffix", k->name);
	ok_int(decompress(k->name, packed.data, packed.len, &plain, &err), 0, "%s: decompressed (%s)", k->name,
	       err.message);
	ok(plain.len == sizeof(text) && memcmp(plain.data, text, sizeof(text)) == 0, "%s: as it was", k->name);
	r = decompress(k->name, packed.data, packed.len, &small, &err);
	ok(r < 0 && err.kind == ERROR_INPUT, "%s: too much for the buffer", k->name);
	ok_error(&err, "larger than 199999 bytes", "%s: the reason", k->name);
	err = (struct error)ERROR_INIT;
	buf_truncate(&plain, 0);
	ok(decompress(k->name, packed.data, packed.len / 2, &plain, &err) < 0, "%s: cut off", k->name);
	ok_error(&err, k->name, "%s: the error names it", k->name);
	err = (struct error)ERROR_INIT;
	ok(decompress(k->name, text, sizeof(text), &plain, &err) < 0, "%s: not compressed at all", k->name);
	ok_error(&err, "cannot be decompressed", "%s: the reason", k->name);
	err = (struct error)ERROR_INIT;
	ok(decompress(k->name, "", 0, &plain, &err) < 0, "%s: nothing at all", k->name);
}

/* A name tells; what the bytes look like does not. */
static void test_plain(void)
{
	CLEANUP_BUF struct buf packed = BUF_INIT(ROOM), plain = BUF_INIT(ROOM), small = BUF_INIT(3);
	struct error err = ERROR_INIT;

	compressed_add(ARCHIVE_FILTER_GZIP, text, sizeof(text), &packed);
	ok_int(decompress_suffix("module.ko"), 0, "no suffix");
	ok_int(decompress_suffix(".xz"), 0, "nothing but a suffix");
	ok(decompress("module.ko", packed.data, packed.len, &plain, &err) == 0 && plain.len == packed.len &&
	   memcmp(plain.data, packed.data, packed.len) == 0, "a name without suffix: the bytes themselves");
	ok(decompress("module.ko", "1234", 4, &small, &err) < 0, "too many of them");
	ok_error(&err, "module.ko: it is larger than 3 bytes", "the reason");
}

int main(void)
{
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i / 100 % 26);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		test_kind(&kinds[i]);
	test_plain();
	return tap_done();
}
