/* SPDX-License-Identifier: Apache-2.0 */
#include "auth_variable.h"

#include <string.h>
#include <time.h>

#include "../base/buf.h"
#include "../base/bytes.h"
#include "../base/error.h"
#include "esl.h"

/* WIN_CERTIFICATE_UEFI_GUID: length, revision, type, GUID; length counts itself. */
#define CERTIFICATE_HEADER_SIZE 24
#define CERTIFICATE_REVISION 0x0200
#define CERTIFICATE_EFI_GUID 0x0ef1

/* EFI_CERT_TYPE_PKCS7_GUID 4aafd29d-68df-49ee-8aa9-347d375665a7 */
static const uint8_t guid_pkcs7[16] = {
	0x9d, 0xd2, 0xaf, 0x4a, 0xdf, 0x68, 0xee, 0x49, 0x8a, 0xa9, 0x34, 0x7d, 0x37, 0x56, 0x65, 0xa7,
};

#define YEAR_MAX 9999

/* ---------------------------------------------------------------- time */

int efi_time_make(int64_t epoch, uint8_t ret[static EFI_TIME_SIZE], struct error *err)
{
	time_t seconds = (time_t)epoch;
	struct tm tm;

	if (epoch < 0 || !gmtime_r(&seconds, &tm) || tm.tm_year > YEAR_MAX - 1900)
		return error_input(err, "%lld is no time for a variable: it must lie between the years 1970 and %d",
				   (long long)epoch, YEAR_MAX);
	memset(ret, 0, EFI_TIME_SIZE);
	write_le16(ret, (uint16_t)(tm.tm_year + 1900));
	ret[2] = (uint8_t)(tm.tm_mon + 1);
	ret[3] = (uint8_t)tm.tm_mday;
	ret[4] = (uint8_t)tm.tm_hour;
	ret[5] = (uint8_t)tm.tm_min;
	ret[6] = (uint8_t)tm.tm_sec;
	return 0;
}

int efi_time_read(const uint8_t time[static EFI_TIME_SIZE], int64_t *ret, struct error *err)
{
	static const uint8_t nothing[EFI_TIME_SIZE - 7];
	uint8_t again[EFI_TIME_SIZE];
	struct error ignored = ERROR_INIT;
	struct tm tm = {
		.tm_year = read_le16(time) - 1900, .tm_mon = time[2] - 1, .tm_mday = time[3],
		.tm_hour = time[4], .tm_min = time[5], .tm_sec = time[6],
	};
	int64_t epoch;

	if (memcmp(time + 7, nothing, sizeof(nothing)) != 0)
		return error_input(err, "the time has fields that must be zero: nanoseconds, time zone, daylight or padding");
	/* timegm() makes a date of any numbers; only a true date comes back as it was. */
	epoch = timegm(&tm);
	if (efi_time_make(epoch, again, &ignored) < 0 || memcmp(again, time, EFI_TIME_SIZE) != 0)
		return error_input(err, "%u-%02u-%02u %02u:%02u:%02u is no time", read_le16(time), time[2], time[3],
				   time[4], time[5], time[6]);
	*ret = epoch;
	return 0;
}

/* ---------------------------------------------------------------- writing */

static void add_le32(struct buf *b, uint32_t v)
{
	uint8_t bytes[4];

	write_le32(bytes, v);
	der_add_raw(b, bytes, sizeof(bytes));
}

void auth_variable_request(const struct secure_variable *variable, uint32_t attributes,
			   const uint8_t time[static EFI_TIME_SIZE], struct der value, struct buf *ret)
{
	/* The name in UTF-16 without its NUL. */
	for (const char *c = variable->name; *c; c++) {
		const uint8_t unit[2] = { (uint8_t)*c, 0 };

		der_add_raw(ret, unit, sizeof(unit));
	}
	der_add_raw(ret, variable->vendor, 16);
	add_le32(ret, attributes);
	der_add_raw(ret, time, EFI_TIME_SIZE);
	der_add_raw(ret, value.data, value.size);
}

void auth_variable_write(const uint8_t time[static EFI_TIME_SIZE], const struct signed_data *signature,
			 struct der value, struct buf *ret)
{
	size_t from;

	der_add_raw(ret, time, EFI_TIME_SIZE);
	from = ret->len;
	add_le32(ret, 0);
	add_le32(ret, (uint32_t)CERTIFICATE_EFI_GUID << 16 | CERTIFICATE_REVISION);
	der_add_raw(ret, guid_pkcs7, sizeof(guid_pkcs7));
	signed_data_write(signature, ret);
	write_le32(ret->data + from, (uint32_t)(ret->len - from));
	der_add_raw(ret, value.data, value.size);
}

/* ---------------------------------------------------------------- reading */

static int accept(const struct esl_entry *e, void *arg)
{
	(void)e;
	(void)arg;
	return 0;
}

static int check_header(const uint8_t *header, size_t size, uint32_t *ret_length, struct error *err)
{
	uint32_t length = read_le32(header);

	if (length <= CERTIFICATE_HEADER_SIZE || length > size)
		return error_input(err, "its certificate says it has %u bytes, of %zu left", length, size);
	if (read_le16(header + 4) != CERTIFICATE_REVISION || read_le16(header + 6) != CERTIFICATE_EFI_GUID)
		return error_input(err, "its certificate has revision 0x%04x and type 0x%04x, not 0x%04x and 0x%04x",
				   read_le16(header + 4), read_le16(header + 6), CERTIFICATE_REVISION,
				   CERTIFICATE_EFI_GUID);
	if (memcmp(header + 8, guid_pkcs7, sizeof(guid_pkcs7)) != 0)
		return error_input(err, "its certificate is not of the kind EFI_CERT_TYPE_PKCS7_GUID");
	*ret_length = length;
	return 0;
}

static int parse(const uint8_t *data, size_t size, struct auth_variable *ret, struct error *err)
{
	const uint8_t *header = data + EFI_TIME_SIZE;
	size_t blob = 0;
	uint32_t length = 0;
	int r;

	if (size < EFI_TIME_SIZE + CERTIFICATE_HEADER_SIZE)
		return error_input(err, "%zu bytes are too few", size);
	memcpy(ret->time, data, EFI_TIME_SIZE);
	r = efi_time_read(data, &ret->epoch, err);
	if (r == 0)
		r = check_header(header, size - EFI_TIME_SIZE, &length, err);
	if (r == 0)
		r = signed_data_parse(header + CERTIFICATE_HEADER_SIZE, length - CERTIFICATE_HEADER_SIZE,
				      &ret->signature, &blob, err);
	if (r < 0)
		return r;
	if (blob != length - CERTIFICATE_HEADER_SIZE)
		return error_input(err, "its signature has %zu bytes more than it should",
				   length - CERTIFICATE_HEADER_SIZE - blob);
	if (ret->signature.type != SIGNED_DATA_ELSEWHERE)
		return error_input(err, "its signature is one of a PE image");
	ret->value = (struct der) { header + length, size - EFI_TIME_SIZE - length };
	return esl_walk(ret->value.data, ret->value.size, accept, NULL, err);
}

int auth_variable_parse(const uint8_t *data, size_t size, struct auth_variable *ret, struct error *err)
{
	struct auth_variable found = { .epoch = 0 };
	int r = parse(data, size, &found, err);

	if (r < 0)
		return error_wrap(err, "signed variable update");
	*ret = found;
	return 0;
}
