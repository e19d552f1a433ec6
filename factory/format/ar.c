/* SPDX-License-Identifier: Apache-2.0 */
#include "ar.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/error.h"

#define MAGIC "!<arch>\n"
#define MAGIC_SIZE 8
#define HEADER_SIZE 60
#define NAME_SIZE 16
#define SIZE_OFFSET 48
#define SIZE_DIGITS 10

/* Decimal, padded with blanks on the right; ten digits cannot overflow 64 bits. */
static bool parse_size(const uint8_t *field, uint64_t *ret)
{
	uint64_t value = 0;
	int i = 0;

	for (; i < SIZE_DIGITS && field[i] >= '0' && field[i] <= '9'; i++)
		value = value * 10 + (uint64_t)(field[i] - '0');
	if (i == 0)
		return false;
	for (; i < SIZE_DIGITS; i++)
		if (field[i] != ' ')
			return false;
	*ret = value;
	return true;
}

/* Padded with blanks; GNU ar puts a slash behind the name. */
static void parse_name(const uint8_t *field, char ret[static NAME_SIZE + 1])
{
	size_t len = NAME_SIZE;

	while (len > 0 && field[len - 1] == ' ')
		len--;
	if (len > 1 && field[len - 1] == '/')
		len--;
	memcpy(ret, field, len);
	ret[len] = '\0';
}

static int parse_member(const uint8_t *data, size_t size, size_t offset, struct ar_member *ret,
			struct error *err)
{
	const uint8_t *header = data + offset;
	uint64_t member_size;

	if (!range_fits(offset, HEADER_SIZE, size))
		return error_input(err, "ar archive ends inside the member header at byte %zu",
				   offset);
	if (memcmp(header + 58, "`\n", 2) != 0 || !parse_size(header + SIZE_OFFSET, &member_size))
		return error_input(err, "ar archive has no valid member header at byte %zu",
				   offset);
	if (!range_fits(offset + HEADER_SIZE, member_size, size))
		return error_input(err,
				   "ar archive ends inside the member at byte %zu, which claims "
				   "%" PRIu64 " bytes",
				   offset, member_size);
	parse_name(header, ret->name);
	ret->data = header + HEADER_SIZE;
	ret->size = (size_t)member_size;
	return 0;
}

int ar_find(const uint8_t *data, size_t size, const char *name_prefix, struct ar_member *ret,
	    struct error *err)
{
	size_t offset = MAGIC_SIZE;

	if (size < MAGIC_SIZE || memcmp(data, MAGIC, MAGIC_SIZE) != 0)
		return error_input(err, "no ar archive: it does not begin with \"!<arch>\"");
	while (offset < size) {
		struct ar_member member;
		int r = parse_member(data, size, offset, &member, err);

		if (r < 0)
			return r;
		if (strncmp(member.name, name_prefix, strlen(name_prefix)) == 0) {
			*ret = member;
			return 0;
		}
		/* Members begin at even offsets. */
		offset += HEADER_SIZE + member.size;
		offset += offset & 1;
	}
	return error_input(err, "ar archive has no member whose name begins with \"%s\"",
			   name_prefix);
}
