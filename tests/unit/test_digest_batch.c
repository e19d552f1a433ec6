/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/base/cleanup.h"
#include "factory/base/digest_batch.h"
#include "tests/unit/tap.h"

#define SIZE ((size_t)3 << 20)

static uint8_t *data;

static struct iovec piece(size_t offset, size_t size)
{
	return (struct iovec) { .iov_base = data + offset, .iov_len = size };
}

/* What a message digests to when nothing is shared. */
static struct digest plainly(enum digest_alg alg, const struct iovec *pieces, size_t count)
{
	CLEANUP_DIGESTER struct digester *d = digester_new(alg);
	struct digest ret;

	for (size_t i = 0; i < count; i++)
		digester_add(d, pieces[i].iov_base, pieces[i].iov_len);
	digester_final(d, &ret);
	return ret;
}

static void test_messages(size_t scale)
{
	const struct iovec a = piece(0, 10 * scale), b = piece(11 * scale, 7 * scale), c = piece(3, scale);
	const struct iovec nothing = piece(5, 0), part_of_a = piece(0, 9 * scale);
	const struct {
		struct iovec pieces[4];
		size_t count;
		const char *what;
	} messages[] = {
		{ { a }, 1, "one piece" },
		{ { a, b }, 2, "one that begins with it" },
		{ { a, nothing, b, c }, 4, "one that begins with both" },
		{ { a, c }, 2, "another with the same beginning" },
		{ { a, b }, 2, "the same again" },
		{ { part_of_a, b }, 2, "less of the first piece" },
		{ { b, a }, 2, "the other order" },
		{ { nothing }, 1, "an empty piece" },
		{ { nothing }, 0, "no piece" },
		{ { nothing, a }, 2, "an empty piece first" },
	};
	struct digest got[ARRAY_SIZE(messages)][DIGEST_ALGS];
	CLEANUP_DIGEST_BATCH struct digest_batch batch = DIGEST_BATCH_INIT;

	memset(got, 0, sizeof(got));
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++)
		for (int alg = 0; alg < DIGEST_ALGS; alg++)
			digest_batch_add(&batch, (enum digest_alg)alg, messages[i].pieces,
					 messages[i].count, &got[i][alg]);
	digest_batch_run(&batch);
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++)
		for (int alg = 0; alg < DIGEST_ALGS; alg++) {
			struct digest expected = plainly((enum digest_alg)alg, messages[i].pieces,
							 messages[i].count);

			ok(digest_equal(&got[i][alg], &expected), "scale %zu, %s: %s", scale,
			   digest_name((enum digest_alg)alg), messages[i].what);
		}
	ok_int(batch.count, 0, "the batch is empty afterwards");
}

/* Not run: nothing is written, nothing leaks (AddressSanitizer sees that). */
static void test_dropped(void)
{
	CLEANUP_DIGEST_BATCH struct digest_batch batch = DIGEST_BATCH_INIT;
	const struct iovec a = piece(0, 100);
	struct digest digest = { .alg = DIGEST_SHA256 };

	digest_batch_run(&batch);
	for (int i = 0; i < 100; i++)
		digest_batch_add(&batch, DIGEST_SHA384, &a, 1, &digest);
	ok_int(batch.count, 100, "a batch grows");
	ok_int(digest.alg, DIGEST_SHA256, "and writes nothing before it runs");
}

int main(void)
{
	uint32_t x = 1;

	data = malloc(SIZE);
	need(data, "memory");
	for (size_t i = 0; i < SIZE; i++) {
		x = x * 1664525 + 1013904223;
		data[i] = (uint8_t)(x >> 24);
	}
	test_messages(1);
	test_messages(100);
	test_messages(100000);		/* enough for several threads */
	test_dropped();
	free(data);
	return tap_done();
}
