/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tap.h"

#include "factory/base/base64.h"
#include "factory/base/cleanup.h"
#include "factory/base/digest.h"
#include "factory/base/io.h"
#include "upload/block_index.h"

static void put(struct block_index *index, uint32_t block, uint8_t content)
{
	uint8_t digest[BLOCK_DIGEST_SIZE];

	memset(digest, content, sizeof(digest));
	block_index_add(index, block, digest);
}

static bool is(const struct block_index *index, uint32_t block, uint8_t content)
{
	const uint8_t *digest = block_index_find(index, block);
	uint8_t wanted[BLOCK_DIGEST_SIZE];

	memset(wanted, content, sizeof(wanted));
	return digest && memcmp(digest, wanted, sizeof(wanted)) == 0;
}

static bool is_zeros(const struct block_index *index, uint32_t block)
{
	const uint8_t *digest = block_index_find(index, block);
	uint8_t zeros[BLOCK_DIGEST_SIZE];

	block_digest_of_zeros(zeros);
	return digest && memcmp(digest, zeros, sizeof(zeros)) == 0;
}

static void test_difference(void)
{
	CLEANUP_BLOCK_INDEX struct block_index image = BLOCK_INDEX_INIT, parent = BLOCK_INDEX_INIT;
	CLEANUP_BLOCK_INDEX struct block_index all = BLOCK_INDEX_INIT, delta = BLOCK_INDEX_INIT;
	CLEANUP_BLOCK_INDEX struct block_index nothing = BLOCK_INDEX_INIT;

	put(&image, 0, 1);
	put(&image, 3, 2);
	put(&image, 900, 3);
	put(&parent, 0, 1);
	put(&parent, 2, 9);
	put(&parent, 3, 8);
	put(&parent, 2000, 7);

	block_index_difference(&image, NULL, &all);
	ok_int(all.count, 3, "without a parent all that is no zeros is written");
	ok(is(&all, 0, 1) && is(&all, 3, 2) && is(&all, 900, 3), "as it is");

	block_index_difference(&image, &parent, &delta);
	ok_int(delta.count, 4, "over a parent what differs is");
	ok(!block_index_find(&delta, 0), "a block that is the same is not");
	ok(is_zeros(&delta, 2) && is_zeros(&delta, 2000), "a block that became zeros is written as zeros");
	ok(is(&delta, 3, 2) && is(&delta, 900, 3), "a changed and a new one as they are");
	for (size_t i = 1; i < delta.count; i++)
		ok(delta.entries[i].block > delta.entries[i - 1].block, "in ascending order");

	block_index_difference(&image, &image, &nothing);
	ok_int(nothing.count, 0, "an image over itself is nothing");
}

static void test_cover(void)
{
	CLEANUP_BLOCK_INDEX struct block_index plan = BLOCK_INDEX_INIT, image = BLOCK_INDEX_INIT;
	CLEANUP_BLOCK_INDEX struct block_index written = BLOCK_INDEX_INIT;

	put(&image, 1, 1);
	put(&image, 5, 5);
	put(&plan, 5, 5);
	put(&written, 1, 77);
	put(&written, 3, 77);
	put(&written, 5, 5);
	block_index_cover(&plan, &written, &image);
	ok_int(plan.count, 3, "what was written without being in the plan comes into it");
	ok(is(&plan, 1, 1), "with what the image holds");
	ok(is_zeros(&plan, 3), "which may be zeros");
	ok(plan.entries[0].block == 1 && plan.entries[1].block == 3 && plan.entries[2].block == 5, "in order");
}

static void ok_base64(const struct digest *digest, const char *expected, const char *about)
{
	CLEANUP_BUF struct buf text = BUF_INIT(64);

	need(base64_encode(digest->bytes, BLOCK_DIGEST_SIZE, &text) == 0, "base64");
	ok_str(buf_text(&text), expected, "%s", about);
}

/* The vectors were computed with botocore and independently. */
static void test_linear(void)
{
	CLEANUP_BLOCK_INDEX struct block_index index = BLOCK_INDEX_INIT;
	CLEANUP_FREE uint8_t *block = malloc(BLOCK_SIZE);
	struct digest digest;

	need(block, "memory");
	memset(block, 'A', BLOCK_SIZE);
	digest_of(DIGEST_SHA256, block, BLOCK_SIZE, &digest);
	ok_base64(&digest, "X3om4deM0XGxqrAgjaEz6ZbHUoW5SqjvBsZXjqCyaQM=", "the checksum of a block of A");
	block_index_add(&index, 7, digest.bytes);
	block_index_linear(&index, &digest);
	ok_base64(&digest, "l8cmU1ymV93Imrc5g4fF0Uj3Hi5fj/KWrb04gZRJDPM=", "and the LINEAR one of that block alone");
	block_index_free(&index);
	block_index_linear(&index, &digest);
	ok_base64(&digest, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "of no block it is that of nothing");
}

static void test_record(void)
{
	CLEANUP_BLOCK_RECORD struct block_record record = { .region = "eu-north-1", .snapshot = "snap-0123456789abcdef0",
							    .completed = 1795745432 };
	CLEANUP_BLOCK_RECORD struct block_record again = BLOCK_RECORD_INIT, head = BLOCK_RECORD_INIT;
	CLEANUP_BUF struct buf text = BUF_INIT(SIZE_MAX);
	struct error err = ERROR_INIT;
	unsigned int accepted = 0;

	put(&record.index, 0, 1);
	put(&record.index, BLOCK_COUNT_MAX - 1, 2);
	block_record_format(&record, &text);
	need(block_record_parse(text.data, text.len, "f", &again, &err) == 0, "a record is read again");
	ok_str(again.region, record.region, "its region");
	ok_str(again.snapshot, record.snapshot, "its snapshot");
	ok_int(again.completed, record.completed, "its time");
	ok(again.index.count == 2 && is(&again.index, 0, 1) && is(&again.index, BLOCK_COUNT_MAX - 1, 2), "its blocks");
	ok(block_record_parse_head(text.data, BLOCK_RECORD_HEAD, "f", &head, &err) == 0 && head.index.count == 0,
	   "its head alone");

	for (size_t size = 0; size < text.len; size++) {
		struct block_record cut = BLOCK_RECORD_INIT;

		accepted += block_record_parse(text.data, size, "f", &cut, &err) == 0;
	}
	ok_int(accepted, 0, "cut off anywhere it is none");
	for (size_t at = 0; at < text.len; at++) {
		struct block_record damaged = BLOCK_RECORD_INIT;

		text.data[at] ^= 1;
		accepted += block_record_parse(text.data, text.len, "f", &damaged, &err) == 0;
		text.data[at] ^= 1;
	}
	ok_int(accepted, 0, "with one bit wrong anywhere it is none");
	ok_int(err.kind, ERROR_INPUT, "and the error is the file's");
}

int main(void)
{
	test_difference();
	test_cover();
	test_linear();
	test_record();
	return tap_done();
}
