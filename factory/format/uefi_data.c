/* SPDX-License-Identifier: Apache-2.0 */
#include "uefi_data.h"

#include <string.h>

#include "../base/base64.h"
#include "../base/bytes.h"
#include "../base/cleanup.h"
#include "../base/deflate.h"
#include "../base/error.h"
#include "../base/io.h"
#include "der.h"
#include "secure_variable.h"

static const char magic[8] = "AMZNUEFI";
#define HEADER_SIZE 16
#define CRC_OFFSET 8
#define VERSION_OFFSET 12
#define DIGEST_SIZE 32

/* CRC-32C (RFC 3720, 12.1): Castagnoli's polynomial, reflected. */
static uint32_t crc32c(const uint8_t *data, size_t size)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < size; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

/* ---------------------------------------------------------------- the set */

void uefi_data_free(struct uefi_data *u)
{
	for (size_t i = 0; i < u->count; i++) {
		free(u->items[i].name);
		buf_free(&u->items[i].value);
		buf_free(&u->items[i].digest);
	}
	free(u->items);
	*u = (struct uefi_data)UEFI_DATA_INIT;
}

static struct uefi_data_variable *append(struct uefi_data *u)
{
	struct uefi_data_variable *items = reallocarray(u->items, u->count + 1, sizeof(*items));

	if (!items)
		error_no_memory();
	u->items = items;
	items[u->count] = (struct uefi_data_variable) {
		.value = BUF_INIT(UEFI_DATA_SIZE_MAX), .digest = BUF_INIT(UEFI_DATA_SIZE_MAX),
	};
	return &items[u->count++];
}

static void set(struct buf *b, const uint8_t *data, size_t size)
{
	if (buf_add(b, data, size) < 0)
		error_no_memory();
}

void uefi_data_add(struct uefi_data *u, const char *name, const uint8_t vendor[static 16], uint32_t attributes,
		   const uint8_t *value, size_t size)
{
	struct uefi_data_variable *v = append(u);

	v->name = string_copy(name);
	v->value.max = v->digest.max = SIZE_MAX;
	memcpy(v->vendor, vendor, sizeof(v->vendor));
	v->attributes = attributes;
	set(&v->value, value, size);
	if ((attributes & EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS) &&
	    buf_fill(&v->digest, 0, DIGEST_SIZE) < 0)
		error_no_memory();
}

/* ---------------------------------------------------------------- writing */

static void add_le64(struct buf *b, uint64_t v)
{
	uint8_t bytes[8];

	write_le64(bytes, v);
	der_add_raw(b, bytes, sizeof(bytes));
}

static void add_counted(struct buf *b, const void *data, size_t size)
{
	add_le64(b, size);
	der_add_raw(b, data, size);
}

static void add_variable(struct buf *b, const struct uefi_data_variable *v)
{
	uint8_t attributes[4];

	write_le32(attributes, v->attributes);
	add_counted(b, v->name, strlen(v->name));
	add_counted(b, v->value.data, v->value.len);
	der_add_raw(b, v->vendor, sizeof(v->vendor));
	der_add_raw(b, attributes, sizeof(attributes));
	if (!(v->attributes & EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS))
		return;
	der_add_raw(b, v->time, sizeof(v->time));
	add_counted(b, v->digest.data, v->digest.len);
}

int uefi_data_format(const struct uefi_data *u, struct buf *ret, struct error *err)
{
	CLEANUP_BUF struct buf plain = BUF_INIT(SIZE_MAX), packed = BUF_INIT(SIZE_MAX), text = BUF_INIT(SIZE_MAX);

	add_le64(&plain, u->count);
	for (size_t i = 0; i < u->count; i++)
		add_variable(&plain, &u->items[i]);
	der_add_raw(&packed, magic, sizeof(magic));
	add_le64(&packed, 0);
	deflate_all(plain.data, plain.len, &packed);
	write_le32(packed.data + CRC_OFFSET, crc32c(packed.data + VERSION_OFFSET, packed.len - VERSION_OFFSET));
	if (base64_encode(packed.data, packed.len, &text) < 0)
		error_no_memory();
	if (text.len > UEFI_DATA_TEXT_MAX)
		return error_input(err, "the variable store has %zu characters of base64, and EC2 takes no more than %d",
				   text.len, UEFI_DATA_TEXT_MAX);
	der_add_raw(ret, text.data, text.len);
	return 0;
}

/* ---------------------------------------------------------------- reading */

static int take(struct der *d, size_t size, const char *what, const uint8_t **ret, struct error *err)
{
	if (size > d->size)
		return error_input(err, "it ends in %s", what);
	*ret = d->data;
	*d = (struct der) { d->data + size, d->size - size };
	return 0;
}

static int take_le64(struct der *d, const char *what, uint64_t *ret, struct error *err)
{
	const uint8_t *bytes = NULL;
	int r = take(d, 8, what, &bytes, err);

	if (r == 0)
		*ret = read_le64(bytes);
	return r;
}

static int take_counted(struct der *d, const char *what, struct der *ret, struct error *err)
{
	uint64_t size = 0;
	int r = take_le64(d, what, &size, err);

	if (r == 0 && size > d->size)
		r = error_input(err, "%s says it has %llu bytes, of %zu left", what, (unsigned long long)size, d->size);
	if (r < 0)
		return r;
	ret->size = (size_t)size;
	return take(d, ret->size, what, &ret->data, err);
}

static int read_signed(struct der *d, struct uefi_data_variable *v, struct error *err)
{
	const uint8_t *time = NULL;
	struct der digest = { NULL, 0 };
	int r = take(d, sizeof(v->time), "a time", &time, err);

	if (r == 0)
		r = take_counted(d, "a digest", &digest, err);
	if (r < 0)
		return r;
	memcpy(v->time, time, sizeof(v->time));
	set(&v->digest, digest.data, digest.size);
	return 0;
}

static int read_variable(struct der *d, struct uefi_data_variable *v, struct error *err)
{
	const uint8_t *vendor = NULL, *attributes = NULL;
	struct der name = { NULL, 0 }, value = { NULL, 0 };
	int r = take_counted(d, "a name", &name, err);

	if (r == 0 && (name.size == 0 || memchr(name.data, '\0', name.size)))
		r = error_input(err, "a variable has no name, or one with a NUL");
	if (r == 0)
		r = take_counted(d, "a value", &value, err);
	if (r == 0)
		r = take(d, sizeof(v->vendor), "a vendor GUID", &vendor, err);
	if (r == 0)
		r = take(d, 4, "attributes", &attributes, err);
	if (r < 0)
		return r;
	v->name = string_printf("%.*s", (int)name.size, (const char *)name.data);
	set(&v->value, value.data, value.size);
	memcpy(v->vendor, vendor, sizeof(v->vendor));
	v->attributes = read_le32(attributes);
	if (v->attributes & EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS)
		return read_signed(d, v, err);
	return 0;
}

static int read_variables(struct der d, struct uefi_data *ret, struct error *err)
{
	uint64_t count = 0;
	int r = take_le64(&d, "the number of variables", &count, err);

	if (r == 0 && count > UEFI_DATA_VARIABLES_MAX)
		r = error_input(err, "it says it has %llu variables, more than %d", (unsigned long long)count,
				UEFI_DATA_VARIABLES_MAX);
	for (uint64_t i = 0; r == 0 && i < count; i++)
		r = read_variable(&d, append(ret), err);
	return r < 0 ? r : der_end(&d, "the variables' stream", err);
}

static int unpack(const struct buf *packed, struct buf *ret, struct error *err)
{
	const uint8_t *p = packed->data;

	if (packed->len < HEADER_SIZE || memcmp(p, magic, sizeof(magic)) != 0)
		return error_input(err, "it does not begin with \"AMZNUEFI\"");
	if (read_le32(p + CRC_OFFSET) != crc32c(p + VERSION_OFFSET, packed->len - VERSION_OFFSET))
		return error_input(err, "its checksum is wrong");
	if (read_le32(p + VERSION_OFFSET) != 0)
		return error_input(err, "its version is %u, and Kiln knows 0", read_le32(p + VERSION_OFFSET));
	return inflate_all(p + HEADER_SIZE, packed->len - HEADER_SIZE, ret, err);
}

int uefi_data_parse(const char *text, size_t size, struct uefi_data *ret, struct error *err)
{
	CLEANUP_BUF struct buf packed = BUF_INIT(UEFI_DATA_SIZE_MAX), plain = BUF_INIT(UEFI_DATA_SIZE_MAX);
	CLEANUP_UEFI_DATA struct uefi_data found = UEFI_DATA_INIT;
	int r = 0;

	if (base64_decode(text, size, &packed) < 0)
		r = error_input(err, "it is no base64, or too long");
	if (r == 0)
		r = unpack(&packed, &plain, err);
	if (r == 0)
		r = read_variables((struct der) { plain.data, plain.len }, &found, err);
	if (r < 0)
		return error_wrap(err, "UefiData");
	*ret = found;
	found = (struct uefi_data)UEFI_DATA_INIT;
	return 0;
}
