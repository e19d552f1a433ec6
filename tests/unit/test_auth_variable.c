/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "factory/base/bytes.h"
#include "factory/base/cleanup.h"
#include "factory/base/pkcs7.h"
#include "factory/format/auth_variable.h"
#include "factory/format/esl.h"
#include "tests/unit/signer.h"

#define EPOCH 1700000000	/* 2023-11-14 22:13:20 */

static const uint8_t owner[16] = "owner of the key";

static void test_time(void)
{
	static const uint8_t expected[EFI_TIME_SIZE] = { 0xe7, 0x07, 11, 14, 22, 13, 20 };
	uint8_t time[EFI_TIME_SIZE];
	struct error err = ERROR_INIT;
	int64_t epoch = 0;

	ok(efi_time_make(EPOCH, time, &err) == 0 && memcmp(time, expected, sizeof(time)) == 0, "seconds as EFI_TIME");
	ok(efi_time_read(time, &epoch, &err) == 0 && epoch == EPOCH, "and back");
	ok_int(efi_time_make(-1, time, &err), -EINVAL, "nothing before 1970");
	ok_int(efi_time_make(INT64_C(253402300800), time, &err), -EINVAL, "nor after 9999");
	ok_int(efi_time_make(INT64_C(253402300799), time, &err), 0, "but its last second");
	for (int field = 7; field < EFI_TIME_SIZE; field++) {
		memcpy(time, expected, sizeof(time));
		time[field] = 1;
		err = (struct error)ERROR_INIT;
		ok_int(efi_time_read(time, &epoch, &err), -EINVAL, "byte %d must be zero", field);
	}
	memcpy(time, expected, sizeof(time));
	time[3] = 31;
	err = (struct error)ERROR_INIT;
	ok_int(efi_time_read(time, &epoch, &err), -EINVAL, "there is no 31st of November");
	ok_error(&err, "2023-11-31", "the message shows it");
}

/* Signs an update of db whose value is one certificate. */
static void make(const struct signer *s, struct buf *value, struct buf *ret)
{
	CLEANUP_BUF struct buf request = BUF_INIT(SIZE_MAX), signature = BUF_INIT(SIZE_MAX);
	struct signed_data data = {
		.type = SIGNED_DATA_ELSEWHERE, .algorithm = SIGNED_ECDSA,
		.certificates = { { s->certificate.data, s->certificate.len } }, .certificate_count = 1,
	};
	uint8_t time[EFI_TIME_SIZE];
	struct error err = ERROR_INIT;
	struct digest digest;

	esl_add(value, esl_guid_x509, owner, s->certificate.data, s->certificate.len);
	need(efi_time_make(EPOCH, time, &err) == 0, "a time");
	auth_variable_request(&secure_variables[SECURE_DB], SECURE_VARIABLE_ATTRIBUTES, time,
			      (struct der) { value->data, value->len }, &request);
	digest_of(DIGEST_SHA256, request.data, request.len, &digest);
	need(ecdsa_sign(s->key, digest.bytes, &signature, &err) == 0 &&
	     signed_issuer_of(s->certificate.data, s->certificate.len, &data.signer, &err) == 0, "a signature");
	data.signature = (struct der) { signature.data, signature.len };
	auth_variable_write(time, &data, (struct der) { value->data, value->len }, ret);
}

/* EDK2 rebuilds what was signed from what it is given, and verifies it with OpenSSL. */
static void test_round_trip(void)
{
	CLEANUP_BUF struct buf value = BUF_INIT(SIZE_MAX), file = BUF_INIT(SIZE_MAX), request = BUF_INIT(SIZE_MAX),
			       wrapped = BUF_INIT(SIZE_MAX);
	CLEANUP_PKCS7 struct pkcs7 *p = NULL;
	CLEANUP_SIGNER struct signer s;
	struct error err = ERROR_INIT;
	struct auth_variable v;

	signer_make(&s, "KEK", false, NULL);
	make(&s, &value, &file);
	need(auth_variable_parse(file.data, file.len, &v, &err) == 0, "it is read (%s)", err.message);
	ok_int(v.epoch, EPOCH, "its time");
	ok(v.value.size == value.len && memcmp(v.value.data, value.data, value.len) == 0, "its value");
	ok(!v.signature.wrapped, "the signature is bare, as older firmware wants it");
	auth_variable_request(&secure_variables[SECURE_DB], 0x27, v.time, v.value, &request);
	ok(request.len == 4 + 16 + 4 + 16 + value.len && memcmp(request.data, "d\0b", 4) == 0, "what is signed");
	v.signature.wrapped = true;
	signed_data_write(&v.signature, &wrapped);
	p = pkcs7_open(wrapped.data, wrapped.len);
	need(p, "OpenSSL reads the signature");
	ok(pkcs7_verifies(p, request.data, request.len, s.certificate.data, s.certificate.len), "and verifies it");
	request.data[20] ^= EFI_VARIABLE_APPEND_WRITE;
	ok(!pkcs7_verifies(p, request.data, request.len, s.certificate.data, s.certificate.len),
	   "not for other attributes");
}

static void test_broken(void)
{
	static const struct {
		size_t offset;
		uint8_t value;
		const char *message, *what;
	} cases[] = {
		{ 2, 13, "is no time", "a 13th month" },
		{ 8, 1, "must be zero", "nanoseconds" },
		{ 16, 24, "says it has", "a certificate without contents" },
		{ 19, 0xff, "says it has", "a certificate longer than the file" },
		{ 20, 1, "revision 0x0201", "another revision" },
		{ 22, 2, "type 0x0e02", "another type" },
		{ 24, 0, "EFI_CERT_TYPE_PKCS7_GUID", "another GUID" },
		{ 40, 0x31, "has tag 0x31", "something else than PKCS#7" },
	};
	CLEANUP_BUF struct buf value = BUF_INIT(SIZE_MAX), file = BUF_INIT(SIZE_MAX);
	CLEANUP_SIGNER struct signer s;
	struct error err = ERROR_INIT;
	unsigned int accepted = 0;
	struct auth_variable v;

	signer_make(&s, "KEK", false, NULL);
	make(&s, &value, &file);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint8_t was = file.data[cases[i].offset];

		file.data[cases[i].offset] = cases[i].value;
		err = (struct error)ERROR_INIT;
		ok_int(auth_variable_parse(file.data, file.len, &v, &err), -EINVAL, "refused: %s", cases[i].what);
		ok_error(&err, cases[i].message, "for that reason");
		file.data[cases[i].offset] = was;
	}
	/* Cut behind the signature it is the deletion of the variable. */
	for (size_t len = 0; len < file.len; len++)
		accepted += auth_variable_parse(file.data, len, &v, &err) == 0;
	ok_int(accepted, 1, "cut anywhere but before the value it is refused");
	buf_add(&file, "x", 1);
	ok_int(auth_variable_parse(file.data, file.len, &v, &err), -EINVAL, "and with a byte behind the value");
}

int main(void)
{
	test_time();
	test_round_trip();
	test_broken();
	return tap_done();
}
