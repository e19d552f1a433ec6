/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "factory/base/buf.h"
#include "factory/base/bytes.h"
#include "factory/base/cleanup.h"
#include "factory/base/hex.h"
#include "factory/format/esl.h"
#include "tests/unit/tap.h"

/* Appends one list whose signatures are `signature_size` bytes each, filled with `fill` and counting up. */
static void add_list(struct buf *b, const uint8_t *type, uint32_t header_size, uint32_t signature_size,
		     uint32_t count, uint8_t fill)
{
	buf_add(b, type, 16);
	buf_add_le32(b, 28 + header_size + count * signature_size);
	buf_add_le32(b, header_size);
	buf_add_le32(b, signature_size);
	buf_fill(b, 0xee, header_size);
	for (uint32_t i = 0; i < count; i++)
		buf_fill(b, (uint8_t)(fill + i), signature_size);
}

struct seen {
	unsigned int count, stop_at;
	char text[256];
};

static int note(const struct esl_entry *e, void *arg)
{
	struct seen *s = arg;
	size_t len = strlen(s->text);

	s->count++;
	snprintf(s->text + len, sizeof(s->text) - len, "%s%02x:%zu:%02x%02x ",
		 memcmp(e->type, esl_guid_x509, 16) == 0 ? "x509 " : "hash ", e->owner[0], e->size,
		 e->data[0], e->data[e->size - 1]);
	return s->count == s->stop_at ? 42 : 0;
}

static int walk(const struct buf *b, struct seen *s, struct error *err)
{
	*s = (struct seen){ .stop_at = s->stop_at };
	*err = (struct error)ERROR_INIT;
	return esl_walk(b->data, b->len, note, s, err);
}

static void test_guids(void)
{
	char text[GUID_TEXT_SIZE];

	guid_format(esl_guid_x509, text);
	ok_str(text, "a5c059a1-94e4-4aa7-87b5-ab155c2bf072", "EFI_CERT_X509_GUID");
	guid_format(esl_guid_sha256, text);
	ok_str(text, "c1c41626-504c-4092-aca9-41f936934328", "EFI_CERT_SHA256_GUID");
}

static void test_walk(void)
{
	CLEANUP_BUF struct buf b = BUF_INIT(65536);
	struct seen s = { .stop_at = 0 };
	struct error err;

	ok_int(walk(&b, &s, &err), 0, "an empty value has no lists");
	ok_int(s.count, 0, "and no entries");
	add_list(&b, esl_guid_x509, 0, 116, 1, 0x11);
	add_list(&b, esl_guid_sha256, 4, 48, 3, 0x22);
	add_list(&b, esl_guid_x509, 0, 17, 0, 0);
	add_list(&b, esl_guid_x509, 0, 17, 1, 0x33);
	ok_int(walk(&b, &s, &err), 0, "several lists are walked whole");
	ok_str(s.text, "x509 11:100:1111 hash 22:32:2222 hash 23:32:2323 hash 24:32:2424 x509 33:1:3333 ",
	       "every entry, in order, with its type, owner and data");
	ok_int(err.kind, ERROR_NONE, "err is untouched");
	s.stop_at = 2;
	ok_int(walk(&b, &s, &err), 42, "the callback's result is handed on");
	ok_int(s.count, 2, "and stops the walk");
}

static void test_broken(void)
{
	const struct {
		size_t offset;		/* of a 32-bit field in the second list */
		uint32_t value;
		const char *message, *what;
	} cases[] = {
		{ 16, 27, "at offset 144 says it has 27 bytes", "a list smaller than its header" },
		{ 16, 0, "at offset 144 says it has 0 bytes", "a list of size 0" },
		{ 16, 125, "of 124 left", "a list longer than the value" },
		{ 16, UINT32_MAX, "of 124 left", "a list of 4 GiB" },
		{ 20, 97, "header of 97 bytes in a list of 124", "a header longer than the list" },
		{ 20, UINT32_MAX, "has a header", "a header of 4 GiB" },
		{ 24, 0, "signatures of 0 bytes", "signature size 0" },
		{ 24, 16, "signatures of 16 bytes", "a signature with nothing but an owner" },
		{ 24, 47, "whole signatures of 47 bytes", "a remainder after the signatures" },
		{ 24, 97, "whole signatures of 97 bytes", "a signature longer than the list" },
	};
	struct seen s = { .stop_at = 0 };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_BUF struct buf b = BUF_INIT(65536);
		struct error err;

		add_list(&b, esl_guid_x509, 0, 116, 1, 0x11);
		add_list(&b, esl_guid_sha256, 0, 48, 2, 0x22);
		write_le32(b.data + 144 + cases[i].offset, cases[i].value);
		ok_int(walk(&b, &s, &err), -EINVAL, "refused: %s", cases[i].what);
		ok_error(&err, cases[i].message, "the message says where: %s", cases[i].what);
	}
}

static void test_truncated(void)
{
	CLEANUP_BUF struct buf b = BUF_INIT(65536);
	struct seen s = { .stop_at = 0 };
	unsigned int accepted = 0;
	struct error err;

	add_list(&b, esl_guid_x509, 0, 116, 1, 0x11);
	add_list(&b, esl_guid_sha256, 0, 48, 2, 0x22);
	for (size_t len = b.len; len-- > 1;) {
		buf_truncate(&b, len);
		accepted += walk(&b, &s, &err) == 0;
	}
	ok_int(accepted, 1, "cut anywhere but between the lists it is refused");
}

int main(void)
{
	test_guids();
	test_walk();
	test_broken();
	test_truncated();
	return tap_done();
}
