/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "factory/base/bytes.h"
#include "factory/base/error.h"
#include "factory/format/varstore.h"
#include "tests/unit/tap.h"

#define HEADER 72
#define STORE 1024
#define SIZE 2048

static const uint8_t guid[16] = { 0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c };

/* As edk2's OVMF_VARS begins; what lies behind the store is other parts of the firmware's. */
static void make_store(uint8_t image[static SIZE])
{
	static const uint8_t store_guid[16] = {
		0x78, 0x2c, 0xf3, 0xaa, 0x7b, 0x94, 0x9a, 0x43, 0xa1, 0x80, 0x2e, 0x14, 0x4e, 0xc3, 0x77, 0x92,
	};

	memset(image, 0xff, SIZE);
	memset(image, 0, HEADER);
	memcpy(image + 40, "_FVH", 4);
	write_le16(image + 48, HEADER);
	memcpy(image + HEADER, store_guid, 16);
	write_le32(image + HEADER + 16, STORE);
	image[HEADER + 20] = 0x5a;
	image[HEADER + 21] = 0xfe;
	memset(image + HEADER + 22, 0, 6);
}

struct seen {
	unsigned int count, stop_at;
	struct varstore_variable last;
	char names[256];
};

static int note(const struct varstore_variable *v, void *arg)
{
	struct seen *s = arg;
	size_t len = strlen(s->names);

	s->count++;
	s->last = *v;
	snprintf(s->names + len, sizeof(s->names) - len, "%s=%zu ", v->name, v->size);
	return s->count == s->stop_at ? 42 : 0;
}

static int walk(const uint8_t *image, size_t size, struct seen *s, struct error *err)
{
	*s = (struct seen){ .stop_at = s->stop_at };
	*err = (struct error)ERROR_INIT;
	return varstore_walk(image, size, note, s, err);
}

static int add(uint8_t *image, const char *name, const void *data, size_t size, struct error *err)
{
	struct varstore_variable v = { .attributes = 0x27, .data = data, .size = size };

	*err = (struct error)ERROR_INIT;
	snprintf(v.name, sizeof(v.name), "%s", name);
	memcpy(v.guid, guid, sizeof(guid));
	return varstore_add(image, SIZE, &v, err);
}

static void test_round_trip(void)
{
	uint8_t image[SIZE];
	struct seen s = { .count = 0 };
	struct error err;

	make_store(image);
	ok(walk(image, SIZE, &s, &err) == 0 && s.count == 0, "an empty store has no variables");
	ok(add(image, "PK", "abcde", 5, &err) == 0, "one is added");
	ok(add(image, "empty", NULL, 0, &err) == 0, "one without a value");
	ok(add(image, "dbx", "xyz", 3, &err) == 0, "and a third");
	ok(walk(image, SIZE, &s, &err) == 0, "the store is walked");
	ok_str(s.names, "PK=5 empty=0 dbx=3 ", "and has them in order");
	ok(s.last.attributes == 0x27 && memcmp(s.last.guid, guid, 16) == 0 && memcmp(s.last.data, "xyz", 3) == 0,
	   "with GUID, attributes and value");
	ok_int(read_le32(image + 28 + HEADER + 36), 6, "a name has two bytes a character, and its end");
	ok_int(image[28 + HEADER + 60 + 6 + 5], 0xff, "what only fills up stays erased");
	s.stop_at = 2;
	ok_int(walk(image, SIZE, &s, &err), 42, "a walk can be stopped");
	image[28 + HEADER + 2] = 0x3c;	/* VAR_ADDED & VAR_DELETED */
	s.stop_at = 0;
	ok(walk(image, SIZE, &s, &err) == 0 && s.count == 2, "a deleted variable is passed over");
}

static void test_full(void)
{
	uint8_t image[SIZE], before[SIZE], value[STORE] = { 0 };
	struct error err;

	make_store(image);
	memcpy(before, image, SIZE);
	ok(add(image, "k", value, STORE - 28 - 60 - 4 + 1, &err) == -EINVAL, "a value that is too large by one byte");
	ok_error(&err, "no room for k", "is refused by its name");
	ok(memcmp(image, before, SIZE) == 0, "and changes nothing");
	ok(add(image, "k", value, STORE - 28 - 60 - 4, &err) == 0, "one that fills the store is not");
	ok(image[HEADER + STORE] == 0xff && image[HEADER + STORE - 1] == 0, "to its last byte");
	ok(add(image, "l", NULL, 0, &err) == -EINVAL, "then there is no room for any other");
}

static void test_damage(void)
{
	uint8_t image[SIZE];
	struct seen s = { .count = 0 };
	struct error err;

	make_store(image);
	for (size_t size = 0; size < HEADER + STORE; size += 27)
		ok(walk(image, size, &s, &err) == -EINVAL, "the first %zu bytes are refused", size);
	image[40] = 'X';
	ok(walk(image, SIZE, &s, &err) == -EINVAL && strstr(err.message, "no firmware volume"), "no firmware volume");
	make_store(image);
	image[HEADER] ^= 1;
	ok(walk(image, SIZE, &s, &err) == -EINVAL && strstr(err.message, "authenticated"), "a store of another kind");
	make_store(image);
	image[HEADER + 21] = 0;
	ok(walk(image, SIZE, &s, &err) == -EINVAL && strstr(err.message, "damaged"), "a store that is not healthy");
	make_store(image);
	(void)add(image, "PK", "abcde", 5, &err);
	write_le32(image + HEADER + 28 + 40, STORE);
	ok(walk(image, SIZE, &s, &err) == -EINVAL && strstr(err.message, "leaves the store"), "a value beyond its end");
	write_le32(image + HEADER + 28 + 36, UINT32_MAX);
	write_le32(image + HEADER + 28 + 40, UINT32_MAX);
	ok(walk(image, SIZE, &s, &err) == -EINVAL, "sizes that overflow");
}

int main(void)
{
	test_round_trip();
	test_full();
	test_damage();
	return tap_done();
}
