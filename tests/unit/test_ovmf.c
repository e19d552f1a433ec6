/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include <errno.h>

#include <archive.h>
#include <archive_entry.h>

#include "factory/base/buf.h"
#include "factory/base/bytes.h"
#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "rootfs/packages/ovmf.h"

/* Builds of OVMF as ovmf.c sees them: a compressed volume with a driver in it or not, somewhere in a file. */

#define VOLUME_SIZE 300000	/* several of the reader's windows */
#define WINDOW 65536

static const char lzma_guid[] = "\x98\x58\x4E\xEE\x14\x39\x59\x42\x9D\x6E\xDC\x7B\xD7\x94\x03\xCF";
static const char driver_guid[] = "\x4F\xA4\xE6\xF0\x95\x71\xC3\x41\xAC\x64\x54\xF2\x02\xCD\x0A\x21";

static struct scratch dir = SCRATCH_INIT;

static ssize_t take(struct archive *a, void *data, const void *bytes, size_t size)
{
	(void)a;
	return buf_add(data, bytes, size) == 0 ? (ssize_t)size : -1;
}

static void compress(const uint8_t *bytes, size_t size, struct buf *ret)
{
	struct archive *a = archive_write_new();
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, "volume");
	archive_entry_set_filetype(entry, AE_IFREG);
	need(archive_write_add_filter_lzma(a) == ARCHIVE_OK, "lzma");
	need(archive_write_set_format_raw(a) == ARCHIVE_OK, "raw");
	(void)archive_write_set_bytes_in_last_block(a, 1);
	need(archive_write_open(a, ret, NULL, take, NULL) == ARCHIVE_OK, "open");
	need(archive_write_header(a, entry) == ARCHIVE_OK, "header");
	need(archive_write_data(a, bytes, size) == (ssize_t)size, "data");
	need(archive_write_close(a) == ARCHIVE_OK, "close");
	(void)archive_write_free(a);
	archive_entry_free(entry);
}

/* A volume with the driver's GUID at `at`; -1: without. */
static void make_build(long at, struct buf *ret)
{
	static uint8_t volume[VOLUME_SIZE];
	CLEANUP_BUF struct buf body = BUF_INIT(2 * VOLUME_SIZE);
	size_t section = ret->len + 132;
	uint32_t noise = 1;	/* so that it does not compress to nothing */

	for (size_t i = 0; i < sizeof(volume); i++) {
		noise = noise * 1664525 + 1013904223;
		volume[i] = (uint8_t)(noise >> 24);
	}
	if (at >= 0)
		memcpy(volume + at, driver_guid, 16);
	compress(volume, sizeof(volume), &body);
	need(buf_fill(ret, 0xFF, 132) == 0, "what stands before");
	need(buf_add_le32(ret, (uint32_t)(24 + body.len) | 2u << 24) == 0, "size and type");
	need(buf_add(ret, lzma_guid, 16) == 0, "GUID");
	need(buf_add_le16(ret, 24) == 0 && buf_add_le16(ret, 1) == 0, "offset and attributes");
	need(ret->len == section + 24, "header");
	need(buf_add(ret, body.data, body.len) == 0 && buf_fill(ret, 0, 77) == 0, "body");
}

static int look(const struct buf *file, bool *ret, struct error *err)
{
	CLEANUP_FREE char *path = path_join(dir.path, "build.fd");

	need(io_write_file(path, file->data, file->len, 0644, err) == 0, "write");
	return ovmf_has_secure_boot(path, ret, err);
}

static void test_builds(void)
{
	static const long places[] = {
		0, 1000, WINDOW - 1, WINDOW - 8, WINDOW, WINDOW + 14, 2 * WINDOW - 3, VOLUME_SIZE - 16,
	};
	struct error err = ERROR_INIT;
	bool has = true;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		CLEANUP_BUF struct buf file = BUF_INIT(1 << 20);

		has = false;
		make_build(places[i], &file);
		ok(look(&file, &has, &err) == 0 && has, "a driver at %ld of its volume %s", places[i],
		   err.message);
	}
	CLEANUP_BUF struct buf file = BUF_INIT(1 << 20);

	make_build(-1, &file);
	ok(look(&file, &has, &err) == 0 && !has, "no driver %s", err.message);
}

/* Whatever is cut off or changed ends in an error or in an answer, never elsewhere. */
static void test_refused(void)
{
	CLEANUP_BUF struct buf whole = BUF_INIT(1 << 20);
	static const size_t cuts[] = { 0, 100, 135, 150, 156, 170, 1000 };

	make_build(VOLUME_SIZE - 16, &whole);
	for (size_t i = 0; i < ARRAY_SIZE(cuts); i++) {
		struct buf cut = { .data = whole.data, .len = cuts[i], .max = 1 << 20 };
		struct error err = ERROR_INIT;
		bool has;

		ok_int(look(&cut, &has, &err), -EINVAL, "its first %zu bytes", cuts[i]);
		ok_error(&err, "not a build of OVMF", "say why");
	}
}

static void test_damaged(void)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *what, *message;
	} cases[] = {
		{ 135, 1, "another type of section", "not a build of OVMF" },
		{ 134, 0xFF, "a size beyond the file", "not a build of OVMF" },
		{ 152, 23, "a body that begins in the header", "not a build of OVMF" },
		{ 153, 0xFF, "a body that begins elsewhere", "cannot be unpacked" },
		{ 156, 0xFF, "no LZMA stream", "cannot be unpacked" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_BUF struct buf file = BUF_INIT(1 << 20);
		struct error err = ERROR_INIT;
		bool has;

		make_build(100, &file);
		file.data[cases[i].at] = cases[i].value;
		ok_int(look(&file, &has, &err), -EINVAL, "%s", cases[i].what);
		ok_error(&err, cases[i].message, "say why");
	}
}

int main(void)
{
	struct error err = ERROR_INIT;

	need(io_scratch_new("/tmp", &dir, &err) == 0, "scratch: %s", err.message);
	test_builds();
	test_refused();
	test_damaged();
	io_scratch_free(&dir);
	return tap_done();
}
