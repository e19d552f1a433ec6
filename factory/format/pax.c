/* SPDX-License-Identifier: Apache-2.0 */
#include "pax.h"

#include <errno.h>
#include <string.h>

#include "../base/buf.h"

/* Digits up to `size` or the first other byte; *ret_digits is how many. */
static bool read_decimal(const char *text, size_t size, uint64_t *ret, size_t *ret_digits)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < size && text[i] >= '0' && text[i] <= '9'; i++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(text[i] - '0'), &v))
			return false;
	*ret = v;
	*ret_digits = i;
	return i > 0;
}

int pax_next(const void *data, size_t size, size_t *offset, struct pax_record *ret)
{
	const char *at = (const char *)data + *offset, *equals;
	size_t left = size - *offset, digits;
	uint64_t length;

	if (left == 0)
		return 0;
	if (!read_decimal(at, left, &length, &digits) || length > left || length < digits + 3 ||
	    at[digits] != ' ' || at[length - 1] != '\n')
		return -EBADMSG;
	equals = memchr(at + digits + 1, '=', length - digits - 2);
	if (!equals || equals == at + digits + 1)
		return -EBADMSG;
	ret->key = at + digits + 1;
	ret->key_size = (size_t)(equals - ret->key);
	ret->value = equals + 1;
	ret->value_size = (size_t)(at + length - 1 - ret->value);
	*offset += length;
	return 1;
}

bool pax_is(const struct pax_record *record, const char *key)
{
	return strlen(key) == record->key_size && memcmp(key, record->key, record->key_size) == 0;
}

bool pax_number(const struct pax_record *record, uint64_t *ret)
{
	size_t digits;

	return read_decimal(record->value, record->value_size, ret, &digits) &&
	       digits == record->value_size;
}

static size_t count_digits(size_t v)
{
	size_t digits = 1;

	for (; v >= 10; v /= 10)
		digits++;
	return digits;
}

/* The length counts its own digits, and may need one more for that. */
static size_t record_length(size_t rest)
{
	size_t digits = count_digits(rest);

	return rest + count_digits(rest + digits);
}

int pax_add(struct buf *out, const char *key, const void *value, size_t size)
{
	const size_t before = out->len;
	int r = buf_printf(out, "%zu %s=", record_length(strlen(key) + size + 3), key);

	if (r == 0)
		r = buf_add(out, value, size);
	if (r == 0)
		r = buf_add(out, "\n", 1);
	if (r < 0)
		buf_truncate(out, before);
	return r;
}
