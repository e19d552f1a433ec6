/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/base/buf.h"
#include "factory/format/tar.h"
#include "tests/unit/tap.h"
#include "tests/unit/tar_archive.h"

static void test_entries(void)
{
	struct buf b = BUF_INIT(65536);
	struct error err = ERROR_INIT;
	struct tar_entry e;
	size_t offset = 0;

	tar_add(&b, "./kernel/", NULL, '5', "", 0);
	tar_add(&b, "kernel/a.ko", NULL, '0', "hello", 5);
	tar_add(&b, "b", "a/long/prefix", '\0', "", 0);
	tar_end(&b);
	ok_int(tar_next(b.data, b.len, &offset, &e, &err), 1, "first entry");
	ok(e.directory, "is a directory");
	ok_str(e.path, "kernel", "without ./ and /");
	ok_int(tar_next(b.data, b.len, &offset, &e, &err), 1, "second entry");
	ok_str(e.path, "kernel/a.ko", "its path");
	ok(!e.directory && e.size == 5 && memcmp(e.data, "hello", 5) == 0, "its bytes");
	ok_int(tar_next(b.data, b.len, &offset, &e, &err), 1, "third entry");
	ok_str(e.path, "a/long/prefix/b", "prefix and name joined");
	ok_int(e.size, 0, "empty");
	ok_int(tar_next(b.data, b.len, &offset, &e, &err), 0, "the end");
	buf_free(&b);
}

static void expect_error(struct buf *b, const char *part, const char *what)
{
	struct error err = ERROR_INIT;
	struct tar_entry e;
	size_t offset = 0;
	int r;

	do
		r = tar_next(b->data, b->len, &offset, &e, &err);
	while (r > 0);
	ok(r < 0 && err.kind == ERROR_INPUT, "%s is refused", what);
	ok_error(&err, part, "%s: the reason", what);
	buf_free(b);
}

static void test_refusals(void)
{
	static const char *const outside[] = { "/etc/passwd", "../x", "a/../../x", "a/..", ".." };
	struct buf b = BUF_INIT(65536);

	expect_error(&b, "end mark", "no bytes");
	tar_add(&b, "a", NULL, '0', "x", 1);
	expect_error(&b, "end mark", "an archive without its end");
	tar_add(&b, "a", NULL, '0', "x", 1);
	b.data[3] ^= 1;
	expect_error(&b, "no valid header at byte 0", "a changed header");
	tar_add(&b, "a", NULL, '2', "", 0);
	tar_end(&b);
	expect_error(&b, "neither file nor directory", "a symbolic link");
	tar_add(&b, "a", NULL, '0', "0123456789", 10);
	buf_truncate(&b, 512 + 5);
	expect_error(&b, "beyond the archive", "a cut off file");
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		tar_add(&b, outside[i], NULL, '0', "x", 1);
		tar_end(&b);
		expect_error(&b, "leaves its directory", outside[i]);
	}
	tar_add(&b, "..a/b..", NULL, '0', "x", 1);
	tar_end(&b);

	struct error err = ERROR_INIT;
	struct tar_entry e;
	size_t offset = 0;

	ok_int(tar_next(b.data, b.len, &offset, &e, &err), 1, "dots inside names are no way out");
	buf_free(&b);
}

int main(void)
{
	test_entries();
	test_refusals();
	return tap_done();
}
