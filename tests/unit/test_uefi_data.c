/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include <zlib.h>

#include "factory/base/base64.h"
#include "factory/base/bytes.h"
#include "factory/base/cleanup.h"
#include "factory/base/hex.h"
#include "factory/format/secure_variable.h"
#include "factory/format/uefi_data.h"
#include "tests/unit/tap.h"

/* A store put together here, with zlib itself; what is in it is the caller's. */
struct store {
	struct buf plain, packed, text;
};
#define STORE_INIT { .plain = BUF_INIT(1 << 20), .packed = BUF_INIT(1 << 20), .text = BUF_INIT(1 << 20) }

static void store_free(struct store *s)
{
	buf_free(&s->plain);
	buf_free(&s->packed);
	buf_free(&s->text);
}
#define CLEANUP_STORE_ __attribute__((cleanup(store_free)))

/* By zlib's table of crc32_z there is no CRC-32C; this one goes through the bits from the top. */
static uint32_t crc32c(const uint8_t *data, size_t size)
{
	uint32_t crc = UINT32_MAX, reflected = 0;

	for (size_t i = 0; i < size; i++)
		for (int bit = 0; bit < 8; bit++) {
			uint32_t in = data[i] >> bit & 1;

			crc = (crc >> 31 ^ in) ? crc << 1 ^ 0x1edc6f41u : crc << 1;
		}
	for (int bit = 0; bit < 32; bit++)
		reflected |= (crc >> bit & 1) << (31 - bit);
	return ~reflected;
}

static void seal(struct store *s)
{
	write_le32(s->packed.data + 8, crc32c(s->packed.data + 12, s->packed.len - 12));
	buf_truncate(&s->text, 0);
	need(base64_encode(s->packed.data, s->packed.len, &s->text) == 0, "base64");
}

static void pack(struct store *s, const char *dictionary)
{
	z_stream z = { .next_in = s->plain.data, .avail_in = (uInt)s->plain.len };
	uint8_t out[65536];

	buf_truncate(&s->packed, 0);
	buf_add(&s->packed, "AMZNUEFI\0\0\0\0\0\0\0\0", 16);
	need(deflateInit(&z, 9) == Z_OK, "zlib");
	if (dictionary)
		need(deflateSetDictionary(&z, (const Bytef *)dictionary, (uInt)strlen(dictionary)) == Z_OK, "dictionary");
	z.next_out = out;
	z.avail_out = sizeof(out);
	need(deflate(&z, Z_FINISH) == Z_STREAM_END, "zlib");
	buf_add(&s->packed, out, sizeof(out) - z.avail_out);
	deflateEnd(&z);
	seal(s);
}

static void add_text(struct buf *b, const char *text)
{
	buf_add_le64(b, strlen(text));
	buf_add_string(b, text);
}

/* One signed variable and one ordinary, byte by byte. */
static void two_variables(struct buf *b)
{
	buf_add_le64(b, 2);
	add_text(b, "PK");
	add_text(b, "a signature list");
	buf_add(b, efi_guid_global, 16);
	buf_add_le32(b, 0x27);
	buf_fill(b, 9, 16);
	buf_add_le64(b, 32);
	buf_fill(b, 0xd1, 32);
	add_text(b, "Boot0000");
	add_text(b, "an option");
	buf_add(b, efi_guid_global, 16);
	buf_add_le32(b, 7);
}

static int parse(const struct store *s, struct uefi_data *ret, struct error *err)
{
	*err = (struct error)ERROR_INIT;
	return uefi_data_parse(buf_text(&s->text), s->text.len, ret, err);
}

static void test_crc(void)
{
	ok_int(crc32c((const uint8_t *)"123456789", 9), 0xe3069283, "the test's CRC-32C is the one of RFC 3720");
}

static void test_read(void)
{
	CLEANUP_UEFI_DATA struct uefi_data u = UEFI_DATA_INIT;
	CLEANUP_STORE_ struct store s = STORE_INIT;
	struct error err;

	two_variables(&s.plain);
	pack(&s, NULL);
	need(parse(&s, &u, &err) == 0, "a store is read (%s)", err.message);
	ok_int(u.count, 2, "with its two variables");
	ok_str(u.items[0].name, "PK", "the first one's name");
	ok_str(buf_text(&u.items[0].value), "a signature list", "its value");
	ok_int(u.items[0].attributes, 0x27, "its attributes");
	ok(memcmp(u.items[0].vendor, efi_guid_global, 16) == 0, "its vendor");
	ok_int(u.items[0].time[15], 9, "its time");
	ok(u.items[0].digest.len == 32 && u.items[0].digest.data[31] == 0xd1, "its digest");
	ok_str(u.items[1].name, "Boot0000", "the second one's name");
	ok_int(u.items[1].digest.len, 0, "which has no digest");
}

/* The order of bytes is the one that the reader was told by hand, above. */
static void test_write(void)
{
	CLEANUP_UEFI_DATA struct uefi_data u = UEFI_DATA_INIT;
	CLEANUP_BUF struct buf text = BUF_INIT(SIZE_MAX), packed = BUF_INIT(1 << 20);
	CLEANUP_STORE_ struct store s = STORE_INIT;
	uint8_t plain[4096];
	uLongf size = sizeof(plain);
	struct error err = ERROR_INIT;

	uefi_data_add(&u, "PK", efi_guid_global, 0x27, (const uint8_t *)"a signature list", 16);
	uefi_data_add(&u, "Boot0000", efi_guid_global, 7, (const uint8_t *)"an option", 9);
	memset(u.items[0].time, 9, 16);
	memset(u.items[0].digest.data, 0xd1, 32);
	need(uefi_data_format(&u, &text, &err) == 0, "a store is written (%s)", err.message);
	need(base64_decode(buf_text(&text), text.len, &packed) == 0 && packed.len > 16, "it is base64");
	ok(memcmp(packed.data, "AMZNUEFI", 8) == 0 && read_le32(packed.data + 12) == 0, "with magic and version");
	ok_int(read_le32(packed.data + 8), crc32c(packed.data + 12, packed.len - 12), "and the checksum");
	ok(packed.data[16] == 0x78 && packed.data[17] == 0xda, "a zlib stream of level 9 that asks for no dictionary");
	need(uncompress(plain, &size, packed.data + 16, packed.len - 16) == Z_OK, "zlib reads it");
	two_variables(&s.plain);
	ok(size == s.plain.len && memcmp(plain, s.plain.data, size) == 0, "and the variables are those written by hand");
}

static void test_empty(void)
{
	CLEANUP_UEFI_DATA struct uefi_data u = UEFI_DATA_INIT, back = UEFI_DATA_INIT;
	CLEANUP_BUF struct buf text = BUF_INIT(SIZE_MAX);
	struct error err = ERROR_INIT;

	ok_int(uefi_data_format(&u, &text, &err), 0, "a store without variables is written");
	ok_int(uefi_data_parse(buf_text(&text), text.len, &back, &err), 0, "and read");
	ok_int(back.count, 0, "and has none");
}

static void test_too_long(void)
{
	CLEANUP_UEFI_DATA struct uefi_data u = UEFI_DATA_INIT;
	CLEANUP_BUF struct buf text = BUF_INIT(SIZE_MAX), noise = BUF_INIT(SIZE_MAX);
	struct error err = ERROR_INIT;
	uint32_t x = 1;

	for (int i = 0; i < 60000; i++) {
		uint8_t byte;

		x = x * 1664525 + 1013904223;
		byte = (uint8_t)(x >> 24);
		buf_add(&noise, &byte, 1);
	}
	uefi_data_add(&u, "dbx", efi_guid_database, 0x27, noise.data, noise.len);
	ok_int(uefi_data_format(&u, &text, &err), -EINVAL, "more than RegisterImage takes");
	ok_error(&err, "EC2 takes no more than 64000", "is refused with the limit");
	ok_int(text.len, 0, "and nothing is appended");
}

static void expect_broken(const struct store *s, const char *message, const char *what)
{
	CLEANUP_UEFI_DATA struct uefi_data u = UEFI_DATA_INIT;
	struct error err;

	ok_int(parse(s, &u, &err), -EINVAL, "refused: %s", what);
	ok_error(&err, message, "for that reason");
}

static void test_broken(void)
{
	CLEANUP_STORE_ struct store s = STORE_INIT;
	size_t len;

	two_variables(&s.plain);
	len = s.plain.len;
	pack(&s, "AWS has a dictionary of its own");
	expect_broken(&s, "needs a preset dictionary", "a store like AWS's own");
	pack(&s, NULL);
	s.packed.data[s.packed.len - 1] ^= 1;
	seal(&s);
	expect_broken(&s, "is no zlib stream", "a wrong Adler-32");
	pack(&s, NULL);
	buf_truncate(&s.packed, s.packed.len - 1);
	seal(&s);
	expect_broken(&s, "is cut short", "a stream without its end");
	pack(&s, NULL);
	buf_add(&s.packed, "x", 1);
	seal(&s);
	expect_broken(&s, "1 bytes behind its end", "something behind the stream");
	pack(&s, NULL);
	s.packed.data[12] = 1;
	seal(&s);
	expect_broken(&s, "its version is 1", "another version");
	s.packed.data[0] = 'B';
	seal(&s);
	expect_broken(&s, "does not begin with", "another magic");
	pack(&s, NULL);
	s.text.data[30] = s.text.data[30] == 'A' ? 'B' : 'A';
	expect_broken(&s, "checksum", "a changed byte");
	s.text.data[30] = '!';
	expect_broken(&s, "no base64", "text that is no base64");

	buf_add(&s.plain, "x", 1);
	pack(&s, NULL);
	expect_broken(&s, "1 bytes more", "something behind the variables");
	buf_truncate(&s.plain, len);
	write_le64(s.plain.data, 1025);
	pack(&s, NULL);
	expect_broken(&s, "1025 variables", "too many variables");
	write_le64(s.plain.data, 2);
	write_le64(s.plain.data + 8, UINT64_MAX);
	pack(&s, NULL);
	expect_broken(&s, "a name says it has 18446744073709551615 bytes", "a name of all bytes there are");
	write_le64(s.plain.data + 8, 0);
	pack(&s, NULL);
	expect_broken(&s, "has no name", "a variable without a name");
	write_le64(s.plain.data + 8, 2);
	s.plain.data[16] = '\0';
	pack(&s, NULL);
	expect_broken(&s, "with a NUL", "a NUL in a name");
	s.plain.data[16] = 'P';
	while (len-- > 0) {
		CLEANUP_UEFI_DATA struct uefi_data u = UEFI_DATA_INIT;
		struct error err;

		buf_truncate(&s.plain, len);
		pack(&s, NULL);
		if (parse(&s, &u, &err) == 0)
			ok(false, "variables cut to %zu bytes were read", len);
	}
	ok(true, "variables cut anywhere are refused");
}

/* A few bytes may stand for many. */
static void test_bomb(void)
{
	CLEANUP_STORE_ struct store s = STORE_INIT;
	uint8_t *zeros = calloc(1, UEFI_DATA_SIZE_MAX + 1);
	uLongf size = 65536;
	uint8_t out[65536];

	need(zeros && compress2(out, &size, zeros, UEFI_DATA_SIZE_MAX + 1, 9) == Z_OK, "a stream of zeros");
	free(zeros);
	buf_add(&s.packed, "AMZNUEFI\0\0\0\0\0\0\0\0", 16);
	buf_add(&s.packed, out, size);
	seal(&s);
	expect_broken(&s, "gives more than", "a stream that swells");
}

int main(void)
{
	test_crc();
	test_read();
	test_write();
	test_empty();
	test_too_long();
	test_broken();
	test_bomb();
	return tap_done();
}
