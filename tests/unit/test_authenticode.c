/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "factory/base/cleanup.h"
#include "factory/base/pkcs7.h"
#include "tests/unit/signer.h"

static void build(struct buf *b)
{
	*b = (struct buf)BUF_INIT(SIZE_MAX);
	image_kernel(b);
}

static int parse(const struct buf *b, struct pe *ret)
{
	struct error err = ERROR_INIT;

	return pe_parse(b->data, b->len, ret, &err);
}

static void test_content(void)
{
	CLEANUP_BUF struct buf b = BUF_INIT(SIZE_MAX);
	struct digest digest, back;
	struct error err = ERROR_INIT;

	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		buf_truncate(&b, 0);
		digest_of((enum digest_alg)alg, "image", 5, &digest);
		authenticode_content(&digest, &b);
		ok(authenticode_content_digest((struct der) { b.data, b.len }, &back, &err) == 0 &&
		   digest_equal(&digest, &back), "a %s digest is read back", digest_name(digest.alg));
	}
	for (size_t len = 0; len < b.len; len++) {
		if (authenticode_content_digest((struct der) { b.data, len }, &back, &err) == 0)
			ok(false, "cut to %zu bytes it is read", len);
	}
	b.data[b.len - 50 - 4] ^= 1;
	err = (struct error)ERROR_INIT;
	ok_int(authenticode_content_digest((struct der) { b.data, b.len }, &back, &err), -EINVAL, "another algorithm");
	ok_error(&err, "neither SHA-256 nor SHA-384", "is named");
}

static void test_table(void)
{
	static const uint8_t blob[] = "thirteen byte";
	CLEANUP_BUF struct buf b, again = BUF_INIT(SIZE_MAX);
	struct error err = ERROR_INIT;
	struct der found;
	struct digest before, after;
	struct pe pe;
	size_t at = 0, size;

	build(&b);
	size = b.len;
	need(parse(&b, &pe) == 0 && pe_authenticode(&pe, DIGEST_SHA256, &before, &err) == 0, "an image");
	ok_int(authenticode_add(&b, blob, 13, 20, &err), 0, "a signature is added (%s)", err.message);
	need(parse(&b, &pe) == 0, "and read back");
	ok_int(pe.security_offset, size, "behind the image");
	ok_int(pe.security_size, 8 + 24, "with room for 20 bytes, rounded up to 8");
	ok_int(read_le32(b.data + size), 8 + 24, "the entry fills the table");
	ok(authenticode_next(&pe, &at, &found) && found.size == 24 && memcmp(found.data, blob, 13) == 0,
	   "the entry is found");
	ok(found.data[13] == 0 && found.data[23] == 0, "zeros follow it");
	ok(!authenticode_next(&pe, &at, &found), "and there is no other");
	ok(pe_authenticode(&pe, DIGEST_SHA256, &after, &err) == 0 && digest_equal(&before, &after),
	   "the image's digest is as before");
	ok_int(authenticode_add(&b, blob, 13, 20, &err), -EINVAL, "no signature is added to a signed image");
	err = (struct error)ERROR_INIT;
	need(authenticode_strip(&pe, &again, &err) == 0, "it is stripped (%s)", err.message);
	ok(again.len == size && memcmp(again.data, b.data, IMAGE_SECURITY) == 0 &&
	   read_le64(again.data + IMAGE_SECURITY) == 0, "to what it was");
}

/* Signing tools pad to 8 before they hash; so does stripping, and the digest is that of the padded image. */
static void test_odd_size(void)
{
	CLEANUP_BUF struct buf b, stripped = BUF_INIT(SIZE_MAX);
	struct error err = ERROR_INIT;
	struct pe pe;

	build(&b);
	buf_add(&b, "odd", 3);
	need(parse(&b, &pe) == 0, "an image with three bytes behind it");
	ok_int(authenticode_strip(&pe, &stripped, &err), 0, "is stripped");
	ok(stripped.len % 8 == 0 && stripped.len - b.len < 8, "and rounded up to 8 bytes");
}

static void test_strip_refused(void)
{
	CLEANUP_BUF struct buf b, stripped = BUF_INIT(SIZE_MAX);
	struct error err = ERROR_INIT;
	struct pe pe;

	build(&b);
	image_sign(&b, "blob", 4);
	buf_add(&b, "more", 4);
	need(parse(&b, &pe) == 0, "an image with something behind its signatures");
	ok_int(authenticode_strip(&pe, &stripped, &err), -EINVAL, "is refused");
	ok_error(&err, "something behind its signatures", "for that");
}

static void test_signed_data(void)
{
	CLEANUP_SIGNER struct signer a, b;
	CLEANUP_BUF struct buf image, blob = BUF_INIT(SIZE_MAX), again = BUF_INIT(SIZE_MAX);
	CLEANUP_PKCS7 struct pkcs7 *p = NULL;
	struct error err = ERROR_INIT;
	struct signed_data s;
	unsigned int accepted = 0;
	const uint8_t *content;
	size_t used = 0, size;

	signer_make(&a, "a", false, NULL);
	signer_make(&b, "b", false, NULL);
	build(&image);
	signer_blob(&a, &image, &b, &blob);
	need(signed_data_parse(blob.data, blob.len, &s, &used, &err) == 0, "it is read (%s)", err.message);
	ok_int(used, blob.len, "whole");
	ok_int(s.certificate_count, 2, "with two certificates");
	signed_data_write(&s, &again);
	ok(again.len == blob.len && memcmp(again.data, blob.data, blob.len) == 0, "and written as the same bytes");
	for (size_t len = 0; len < blob.len; len++)
		accepted += signed_data_parse(blob.data, len, &s, &used, &err) == 0;
	ok_int(accepted, 0, "cut anywhere it is refused");

	p = pkcs7_open(blob.data, blob.len);
	need(p && pkcs7_content(p, &content, &size), "OpenSSL reads it");
	ok(pkcs7_verifies(p, content, size, a.certificate.data, a.certificate.len), "and verifies it with the signer's certificate");
	ok(!pkcs7_verifies(p, content, size, b.certificate.data, b.certificate.len), "not with one that is only embedded");
	ok(!pkcs7_verifies(p, content, size - 1, a.certificate.data, a.certificate.len), "nor for other content");
	ok(!pkcs7_verifies(p, content, size, content, size), "nor with what is no certificate");
	ok(pkcs7_leads_to(p, a.certificate.data, a.certificate.len) &&
	   !pkcs7_leads_to(p, b.certificate.data, b.certificate.len), "the chain leads to the signer alone");
	ok(!pkcs7_open(content, size), "what is no PKCS#7 is not opened");
}

int main(void)
{
	test_content();
	test_table();
	test_odd_size();
	test_strip_refused();
	test_signed_data();
	return tap_done();
}
