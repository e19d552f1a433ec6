/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/base/cleanup.h"
#include "factory/base/digest.h"
#include "factory/base/digest_blocks.h"
#include "factory/base/sha256_pair.h"
#include "tests/unit/tap.h"

/* Against OpenSSL, which is written otherwise by other people. */

#define SIZE 10000

static uint8_t data[2 * SIZE];

static bool is_digest_of(const struct sha256 *s, const uint8_t *message, size_t size)
{
	struct digest expected;
	uint8_t got[32];

	sha256_digest(s, got);
	digest_of(DIGEST_SHA256, message, size, &expected);
	return memcmp(got, expected.bytes, sizeof(got)) == 0;
}

/* Every length around the blocks' and the padding's boundaries, one message and two. */
static void test_lengths(void)
{
	unsigned int one = 0, a_wrong = 0, b_wrong = 0;
	struct sha256 s, a, b;

	for (size_t size = 0; size < 300; size++) {
		sha256_init(&s);
		sha256_add(&s, data + 3, size);
		one += !is_digest_of(&s, data + 3, size);
		sha256_init(&a);
		sha256_init(&b);
		sha256_add_pair(&a, data, &b, data + SIZE, size);
		a_wrong += !is_digest_of(&a, data, size);
		b_wrong += !is_digest_of(&b, data + SIZE, size);
	}
	ok_int(one, 0, "300 lengths of one message");
	ok_int(a_wrong, 0, "of the first of two");
	ok_int(b_wrong, 0, "and of the second");
}

/* In steps of all sizes, looked at after each, and one going on alone. */
static void test_steps(void)
{
	unsigned int wrong = 0;
	struct sha256 a, b;
	size_t at = 0;

	sha256_init(&a);
	sha256_init(&b);
	for (size_t step = 0; at + step < SIZE / 2; at += step, step = (step * 7 + 5) % 201) {
		sha256_add_pair(&a, data + at, &b, data + SIZE + at, step);
		wrong += !is_digest_of(&a, data, at + step);
		wrong += !is_digest_of(&b, data + SIZE, at + step);
	}
	ok_int(wrong, 0, "two messages in steps, %zu bytes", at);
	wrong = 0;
	for (size_t step = 0; at + step < SIZE; at += step, step = (step * 7 + 5) % 201) {
		sha256_add(&b, data + SIZE + at, step);
		wrong += !is_digest_of(&b, data + SIZE, at + step);
	}
	ok_int(wrong, 0, "the second one alone, to %zu bytes", at);
	ok(is_digest_of(&a, data, a.size), "the first is not touched by that");
}

/* The length field has 64 bits, of which one of 32 would hold half a GiB. */
static void test_long(void)
{
	CLEANUP_DIGESTER struct digester *d = digester_new(DIGEST_SHA256);
	const size_t size = (size_t)1 << 20, times = 520;
	CLEANUP_FREE uint8_t *chunk = calloc(1, size);
	struct digest expected;
	struct sha256 a, b;
	uint8_t got[32];

	need(chunk, "memory");
	sha256_init(&a);
	sha256_init(&b);
	for (size_t i = 0; i < times; i++) {
		sha256_add_pair(&a, chunk, &b, chunk, size);
		digester_add(d, chunk, size);
	}
	digester_final(d, &expected);
	sha256_digest(&a, got);
	ok(memcmp(got, expected.bytes, 32) == 0, "520 MiB, the first");
	sha256_digest(&b, got);
	ok(memcmp(got, expected.bytes, 32) == 0, "and the second");
}

static void test_blocks(size_t salt_size, size_t block_size, size_t count)
{
	uint8_t got[32 * 9] = { 0 };
	unsigned int wrong = 0;

	digest_blocks(data + SIZE, salt_size, data, block_size, count, got);
	for (size_t i = 0; i < 9; i++) {
		CLEANUP_DIGESTER struct digester *d = digester_new(DIGEST_SHA256);
		struct digest expected = { .alg = DIGEST_SHA256 };

		digester_add(d, data + SIZE, salt_size);
		digester_add(d, data + i * block_size, block_size);
		if (i < count)
			digester_final(d, &expected);
		wrong += memcmp(got + 32 * i, expected.bytes, 32) != 0;
	}
	ok_int(wrong, 0, "%zu blocks of %zu bytes, salt of %zu: these digests and no others", count, block_size,
	       salt_size);
}

int main(void)
{
	uint32_t x = 1;

	for (size_t i = 0; i < sizeof(data); i++) {
		x = x * 1664525 + 1013904223;
		data[i] = (uint8_t)(x >> 24);
	}
	/* Where the processor has no such instructions there is nothing to compare: digest_blocks() alone. */
	if (sha256_pair_supported()) {
		test_lengths();
		test_steps();
		test_long();
	}
	for (size_t count = 0; count < 9; count++)
		test_blocks(32, 1000, count);
	test_blocks(0, 1024, 5);
	test_blocks(7, 1, 4);
	return tap_done();
}
