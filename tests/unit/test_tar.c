/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "factory/base/buf.h"
#include "factory/base/cleanup.h"
#include "factory/format/pax.h"
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

/* ---------------------------------------------------------------- headers */

static void check_header(const struct tar_member *m, const char *path)
{
	struct buf b = BUF_INIT(65536);
	struct tar_header h;

	need(tar_add_header(&b, m) == 0, "%s: written", path);
	ok_int(b.len, TAR_RECORD, "%s: one record says it", path);
	ok_int(tar_header_read(b.data, &h), 1, "%s: reads back", path);
	ok_str(h.path, path, "%s: its path", path);
	ok_str(h.link, m->link ? m->link : "", "%s: its link", path);
	ok(h.type == (char)m->type && h.mode == m->mode && h.uid == m->uid && h.gid == m->gid && h.size == m->size &&
	   h.major == m->major && h.minor == m->minor, "%s: the rest", path);
	buf_free(&b);
}

#define X10 "xxxxxxxxxx"
#define X50 X10 X10 X10 X10 X10
#define X100 X50 X50

static void test_headers(void)
{
	check_header(&(struct tar_member) { .path = "a", .type = TAR_FILE, .mode = 04755, .uid = 1, .gid = 07777777,
					    .size = 077777777777 }, "a");
	check_header(&(struct tar_member) { .path = "a", .type = TAR_DIRECTORY, .mode = 01777, .mtime = 1 }, "a/");
	check_header(&(struct tar_member) { .path = "l", .type = TAR_SYMLINK, .mode = 0777, .link = X100 }, "l");
	check_header(&(struct tar_member) { .path = "h", .type = TAR_HARD_LINK, .link = "../a" }, "h");
	check_header(&(struct tar_member) { .path = "c", .type = TAR_CHARACTER, .major = 5, .minor = 1048575 }, "c");
	check_header(&(struct tar_member) { .path = X100, .type = TAR_FILE }, X100);
	check_header(&(struct tar_member) { .path = "d/" X100, .type = TAR_FILE }, "d/" X100);
	check_header(&(struct tar_member) { .path = X50 "/" X100 "/" X50, .type = TAR_DIRECTORY }, X50 "/" X100 "/" X50 "/");
}

static void test_not_expressible(void)
{
	const struct tar_attribute odd = { "user.a=b", "", 0 };
	const struct tar_member members[] = {
		{ .path = "", .type = TAR_FILE },
		{ .path = "a", .type = TAR_FILE, .mtime = -1 },
		{ .path = "a", .type = TAR_FILE, .mtime = INT64_C(1) << 33 },
		{ .path = "a", .type = TAR_FILE, .mode = 0100644 },
		{ .path = "a", .type = TAR_DIRECTORY, .size = 1 },
		{ .path = "a", .type = TAR_SYMLINK, .link = "" },
		{ .path = "a", .type = TAR_FILE, .link = "b" },
		{ .path = "a", .type = TAR_BLOCK, .major = 1 << 21 },
		{ .path = "a", .type = TAR_FILE, .attributes = &odd, .attribute_count = 1 },
	};
	struct buf b = BUF_INIT(65536);

	for (size_t i = 0; i < ARRAY_SIZE(members); i++)
		ok(tar_add_header(&b, &members[i]) == -EINVAL && b.len == 0, "member %zu cannot be said in tar", i);
	buf_free(&b);
}

static void test_base_256(void)
{
	struct buf b = BUF_INIT(65536);
	struct tar_header h;
	unsigned int sum = 0;

	tar_add(&b, "big", NULL, '0', "", 0);
	memcpy(b.data + 124, "\x80\0\0\0\0\0\0\x02\0\0\0\x01", 12);
	memset(b.data + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += b.data[i];
	snprintf((char *)b.data + 148, 7, "%06o", sum);
	ok_int(tar_header_read(b.data, &h), 1, "GNU's way of a large number");
	ok(h.size == UINT64_C(0x200000001), "is understood");
	b.data[124] = 0xff;
	b.data[125] = 0xff;
	ok_int(tar_header_read(b.data, &h), -EBADMSG, "a changed one is not");
	buf_free(&b);
}

/* ---------------------------------------------------------------- pax records */

static void expect_record(const struct buf *b, size_t *offset, const char *key, const char *value, size_t size)
{
	struct pax_record r;

	ok_int(pax_next(b->data, b->len, offset, &r), 1, "a record");
	ok(pax_is(&r, key), "its key is %s", key);
	ok(r.value_size == size && memcmp(r.value, value, size) == 0, "its value");
}

/* What ustar cannot say leads the header, in records of its own. */
static void test_pax_member(void)
{
	static const char path[] = "d/" X100 X50;
	const struct tar_attribute attributes[] = { { "security.capability", "\0=\n", 3 }, { "user.b", "", 0 } };
	const struct tar_member m = {
		.path = path, .type = TAR_FILE, .size = UINT64_C(1) << 33, .uid = 1 << 21, .attributes = attributes,
		.attribute_count = 2,
	};
	struct buf b = BUF_INIT(65536), records = BUF_INIT(65536);
	struct pax_record r;
	struct tar_header h;
	size_t offset = 0;

	need(tar_add_header(&b, &m) == 0, "a member beyond ustar");
	need(tar_header_read(b.data, &h) == 1 && h.type == TAR_PAX, "records come first");
	ok_int(b.len, 3 * TAR_RECORD, "in one record of their own");
	need(buf_add(&records, b.data + TAR_RECORD, h.size) == 0, "memory");
	expect_record(&records, &offset, "path", path, strlen(path));
	expect_record(&records, &offset, "size", "8589934592", 10);
	expect_record(&records, &offset, "uid", "2097152", 7);
	expect_record(&records, &offset, "SCHILY.xattr.security.capability", "\0=\n", 3);
	expect_record(&records, &offset, "SCHILY.xattr.user.b", "", 0);
	ok_int(pax_next(records.data, records.len, &offset, &r), 0, "and no more");
	buf_free(&b);
	buf_free(&records);
}

/* A record's length counts itself: around powers of ten that is where one errs. */
static void test_pax_lengths(void)
{
	struct buf b = BUF_INIT(65536);
	char value[1100];
	bool good = true;

	memset(value, 'v', sizeof(value));
	for (size_t size = 0; size < sizeof(value); size++) {
		struct pax_record r;
		size_t offset = 0;

		buf_truncate(&b, 0);
		good = good && pax_add(&b, "k", value, size) == 0 && pax_next(b.data, b.len, &offset, &r) == 1 &&
		       offset == b.len && r.value_size == size && pax_is(&r, "k");
	}
	ok(good, "records of every length up to 1100 bytes read back");
	buf_free(&b);
}

static void test_pax_refusals(void)
{
	static const char *const bad[] = {
		"x", "5 a=b\n", "7 a=b\n", "5 =b\n", "6 abc\n", "6 a=bc", "99999999999999999999 a=b\n", "-6 a=b\n",
		"3 \n", "2\n",
	};
	struct pax_record r = { .value = "18446744073709551616", .value_size = 20 };
	uint64_t number;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		size_t offset = 0;

		ok_int(pax_next(bad[i], strlen(bad[i]), &offset, &r), -EBADMSG, "no record: %.*s",
		       (int)strcspn(bad[i], "\n"), bad[i]);
	}
	r = (struct pax_record) { .value = "18446744073709551616", .value_size = 20 };
	ok(!pax_number(&r, &number), "a number beyond 64 bits");
	r = (struct pax_record) { .value = "12x", .value_size = 3 };
	ok(!pax_number(&r, &number), "a number with more behind it");
	r = (struct pax_record) { .value = "18446744073709551615", .value_size = 20 };
	ok(pax_number(&r, &number) && number == UINT64_MAX, "the largest number");
}

int main(void)
{
	test_entries();
	test_refusals();
	test_headers();
	test_not_expressible();
	test_base_256();
	test_pax_member();
	test_pax_lengths();
	test_pax_refusals();
	return tap_done();
}
