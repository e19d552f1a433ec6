/* SPDX-License-Identifier: Apache-2.0 */
#include "varstore.h"

#include <stdbool.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/error.h"

/* EFI_FIRMWARE_VOLUME_HEADER */
#define VOLUME_SIGNATURE_OFFSET 40
#define VOLUME_HEADER_LENGTH_OFFSET 48
#define VOLUME_HEADER_MIN 56

/* VARIABLE_STORE_HEADER: GUID, size, format, state, reserved. */
#define STORE_HEADER_SIZE 28
#define STORE_FORMATTED 0x5a
#define STORE_HEALTHY 0xfe

/* AUTHENTICATED_VARIABLE_HEADER */
#define START_ID 0x55aa
#define STATE_ADDED 0x3f
#define VARIABLE_HEADER_SIZE 60
#define VARIABLE_ALIGNMENT 4

/* gEfiAuthenticatedVariableGuid aaf32c78-947b-439a-a180-2e144ec37792 */
static const uint8_t guid_authenticated[16] = {
	0x78, 0x2c, 0xf3, 0xaa, 0x7b, 0x94, 0x9a, 0x43, 0xa1, 0x80, 0x2e, 0x14, 0x4e, 0xc3, 0x77, 0x92,
};

/* Of the image: where the variables begin, and where the store ends. */
struct extent {
	size_t begin, end;
};

static int find_store(const uint8_t *image, size_t size, struct extent *ret, struct error *err)
{
	size_t at, length;

	if (size < VOLUME_HEADER_MIN || memcmp(image + VOLUME_SIGNATURE_OFFSET, "_FVH", 4))
		return error_input(err, "no firmware volume");
	at = read_le16(image + VOLUME_HEADER_LENGTH_OFFSET);
	if (!range_fits(at, STORE_HEADER_SIZE, size) || memcmp(image + at, guid_authenticated, sizeof(guid_authenticated)))
		return error_input(err, "no store of authenticated variables in the firmware volume");
	length = read_le32(image + at + 16);
	if (image[at + 20] != STORE_FORMATTED || image[at + 21] != STORE_HEALTHY || length < STORE_HEADER_SIZE ||
	    !range_fits(at, length, size))
		return error_input(err, "the store of variables is damaged");
	*ret = (struct extent){ at + STORE_HEADER_SIZE, at + length };
	return 0;
}

static void read_name(const uint8_t *text, size_t bytes, char ret[static VARSTORE_NAME_MAX + 1])
{
	size_t n = 0;

	for (size_t i = 0; i + 1 < bytes && n < VARSTORE_NAME_MAX; i += 2) {
		uint16_t c = read_le16(text + i);

		if (c == 0)
			break;
		ret[n++] = c >= 0x20 && c < 0x7f ? (char)c : '?';
	}
	ret[n] = '\0';
}

/* One variable at *at, which moves behind it: 1, or 0 where the erased rest begins. */
static int next_variable(const uint8_t *image, const struct extent *store, size_t *at, struct varstore_variable *ret,
			 bool *ret_valid, struct error *err)
{
	const uint8_t *header = image + *at;
	uint64_t name, data, end;

	if (!range_fits(*at, VARIABLE_HEADER_SIZE, store->end) || read_le16(header) != START_ID)
		return 0;
	name = read_le32(header + 36);
	data = read_le32(header + 40);
	if (!range_fits(*at + VARIABLE_HEADER_SIZE, name + data, store->end))
		return error_input(err, "a variable at byte %zu leaves the store", *at);
	read_name(header + VARIABLE_HEADER_SIZE, (size_t)name, ret->name);
	memcpy(ret->guid, header + 44, sizeof(ret->guid));
	ret->attributes = read_le32(header + 4);
	ret->data = header + VARIABLE_HEADER_SIZE + name;
	ret->size = (size_t)data;
	*ret_valid = header[2] == STATE_ADDED;
	if (!align_up(*at + VARIABLE_HEADER_SIZE + name + data, VARIABLE_ALIGNMENT, &end) || end > store->end)
		end = store->end;
	*at = (size_t)end;
	return 1;
}

/* Where the erased rest begins: after `each` has seen all. */
static int walk(const uint8_t *image, size_t size, int (*each)(const struct varstore_variable *v, void *arg), void *arg,
		struct extent *ret_rest, struct error *err)
{
	struct varstore_variable v;
	bool valid = false;
	int r = find_store(image, size, ret_rest, err);

	if (r < 0)
		return r;
	while ((r = next_variable(image, ret_rest, &ret_rest->begin, &v, &valid, err)) > 0) {
		r = valid ? each(&v, arg) : 0;
		if (r != 0)
			return r;
	}
	return r;
}

int varstore_walk(const uint8_t *image, size_t size, int (*each)(const struct varstore_variable *v, void *arg), void *arg,
		  struct error *err)
{
	struct extent rest;

	return walk(image, size, each, arg, &rest, err);
}

static int ignore(const struct varstore_variable *v, void *arg)
{
	(void)v;
	(void)arg;
	return 0;
}

int varstore_add(uint8_t *image, size_t size, const struct varstore_variable *v, struct error *err)
{
	size_t chars = strlen(v->name) + 1, name = 2 * chars;
	struct extent rest;
	uint8_t *header;
	int r = walk(image, size, ignore, NULL, &rest, err);

	if (r < 0)
		return r;
	if (v->size > UINT32_MAX || !range_fits(rest.begin, VARIABLE_HEADER_SIZE + name + v->size, rest.end))
		return error_input(err, "the firmware's store of variables has no room for %s (%zu bytes, %zu are left)", v->name,
				   v->size, rest.end - rest.begin);
	header = image + rest.begin;
	memset(header, 0, VARIABLE_HEADER_SIZE);
	write_le16(header, START_ID);
	header[2] = STATE_ADDED;
	write_le32(header + 4, v->attributes);
	write_le32(header + 36, (uint32_t)name);
	write_le32(header + 40, (uint32_t)v->size);
	memcpy(header + 44, v->guid, sizeof(v->guid));
	for (size_t i = 0; i < chars; i++)
		write_le16(header + VARIABLE_HEADER_SIZE + 2 * i, (uint8_t)v->name[i]);
	if (v->size)
		memcpy(header + VARIABLE_HEADER_SIZE + name, v->data, v->size);
	return 0;
}
