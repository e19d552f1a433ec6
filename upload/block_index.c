/* SPDX-License-Identifier: Apache-2.0 */
#include "block_index.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../factory/base/bytes.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/data_digest.h"
#include "../factory/base/digest.h"
#include "../factory/base/error.h"

/* Both are EBS's block; a manifest's data digest and an index share the work. */
_Static_assert(BLOCK_SIZE == DATA_BLOCK, "blocks of the index are those of the data digest");

static const char magic[8] = "KILNBLK1";

void block_index_free(struct block_index *index)
{
	free(index->entries);
	*index = (struct block_index) BLOCK_INDEX_INIT;
}

static void make_room(struct block_index *index, size_t count)
{
	size_t cap = index->cap ? index->cap : 64;

	if (count <= index->cap)
		return;
	while (cap < count)
		cap *= 2;
	index->entries = reallocarray(index->entries, cap, sizeof(*index->entries));
	if (!index->entries)
		error_no_memory();
	index->cap = cap;
}

void block_index_add(struct block_index *index, uint32_t block, const uint8_t digest[static BLOCK_DIGEST_SIZE])
{
	struct block_entry *entry;

	make_room(index, index->count + 1);
	entry = &index->entries[index->count++];
	entry->block = block;
	memcpy(entry->digest, digest, BLOCK_DIGEST_SIZE);
}

static int compare_block(const void *key, const void *element)
{
	uint32_t a = *(const uint32_t *)key, b = ((const struct block_entry *)element)->block;

	return a < b ? -1 : a > b;
}

const uint8_t *block_index_find(const struct block_index *index, uint32_t block)
{
	const struct block_entry *entry;

	if (index->count == 0)
		return NULL;
	entry = bsearch(&block, index->entries, index->count, sizeof(*index->entries), compare_block);
	return entry ? entry->digest : NULL;
}

void block_digest_of_zeros(uint8_t ret[static BLOCK_DIGEST_SIZE])
{
	CLEANUP_FREE uint8_t *zeros = calloc(1, BLOCK_SIZE);
	struct digest digest;

	if (!zeros)
		error_no_memory();
	digest_of(DIGEST_SHA256, zeros, BLOCK_SIZE, &digest);
	memcpy(ret, digest.bytes, BLOCK_DIGEST_SIZE);
}

void block_index_difference(const struct block_index *image, const struct block_index *parent,
			    struct block_index *ret)
{
	static const struct block_index none = BLOCK_INDEX_INIT;
	uint8_t zeros[BLOCK_DIGEST_SIZE];
	size_t i = 0, k = 0;

	if (!parent)
		parent = &none;
	block_digest_of_zeros(zeros);
	while (i < image->count || k < parent->count) {
		const struct block_entry *a = i < image->count ? &image->entries[i] : NULL;
		const struct block_entry *b = k < parent->count ? &parent->entries[k] : NULL;

		if (b && (!a || b->block < a->block)) {
			block_index_add(ret, b->block, zeros);
			k++;
		} else if (!b || a->block < b->block) {
			block_index_add(ret, a->block, a->digest);
			i++;
		} else {
			if (memcmp(a->digest, b->digest, BLOCK_DIGEST_SIZE))
				block_index_add(ret, a->block, a->digest);
			i++;
			k++;
		}
	}
}

static int compare_entries(const void *a, const void *b)
{
	const struct block_entry *x = a, *y = b;

	return x->block < y->block ? -1 : x->block > y->block;
}

void block_index_cover(struct block_index *plan, const struct block_index *written, const struct block_index *image)
{
	uint8_t zeros[BLOCK_DIGEST_SIZE];
	struct block_index more = BLOCK_INDEX_INIT;

	block_digest_of_zeros(zeros);
	for (size_t i = 0; i < written->count; i++) {
		uint32_t block = written->entries[i].block;
		const uint8_t *digest = block_index_find(image, block);

		if (!block_index_find(plan, block))
			block_index_add(&more, block, digest ? digest : zeros);
	}
	for (size_t i = 0; i < more.count; i++)
		block_index_add(plan, more.entries[i].block, more.entries[i].digest);
	if (more.count)
		qsort(plan->entries, plan->count, sizeof(*plan->entries), compare_entries);
	block_index_free(&more);
}

void block_index_linear(const struct block_index *written, struct digest *ret)
{
	CLEANUP_DIGESTER struct digester *digester = digester_new(DIGEST_SHA256);

	for (size_t i = 0; i < written->count; i++)
		digester_add(digester, written->entries[i].digest, BLOCK_DIGEST_SIZE);
	digester_final(digester, ret);
}

/* ---------------------------------------------------------------- the file */

void block_record_free(struct block_record *record)
{
	block_index_free(&record->index);
}

static void add(struct buf *ret, const void *data, size_t size)
{
	if (buf_add(ret, data, size) < 0)
		error_no_memory();
}

static void add_le64(struct buf *ret, uint64_t value)
{
	uint8_t bytes[8];

	write_le64(bytes, value);
	add(ret, bytes, sizeof(bytes));
}

void block_record_format(const struct block_record *record, struct buf *ret)
{
	size_t before = ret->len;
	struct digest digest;

	add(ret, magic, sizeof(magic));
	add_le64(ret, (uint64_t)record->completed);
	add_le64(ret, record->index.count);
	add(ret, record->region, BLOCK_NAME_SIZE);
	add(ret, record->snapshot, BLOCK_NAME_SIZE);
	for (size_t i = 0; i < record->index.count; i++) {
		const struct block_entry *entry = &record->index.entries[i];
		uint8_t block[4];

		write_le32(block, entry->block);
		add(ret, block, sizeof(block));
		add(ret, entry->digest, BLOCK_DIGEST_SIZE);
	}
	digest_of(DIGEST_SHA256, ret->data + before, ret->len - before, &digest);
	add(ret, digest.bytes, BLOCK_DIGEST_SIZE);
}

/* It ends in messages and in requests: printable, and NULs to the end. */
static bool take_name(const uint8_t *from, char ret[static BLOCK_NAME_SIZE])
{
	size_t len = strnlen((const char *)from, BLOCK_NAME_SIZE);

	if (len == 0 || len == BLOCK_NAME_SIZE)
		return false;
	for (size_t i = 0; i < BLOCK_NAME_SIZE; i++)
		if (i < len ? from[i] <= ' ' || from[i] > '~' : from[i] != 0)
			return false;
	memcpy(ret, from, BLOCK_NAME_SIZE);
	return true;
}

int block_record_parse_head(const uint8_t *data, size_t size, const char *file, struct block_record *ret,
			    struct error *err)
{
	struct block_record record = BLOCK_RECORD_INIT;

	if (size < BLOCK_RECORD_HEAD || memcmp(data, magic, sizeof(magic)))
		return error_input(err, "%s is no block index", file);
	record.completed = (int64_t)read_le64(data + 8);
	if (record.completed < 0)
		return error_input(err, "%s: its time is before 1970", file);
	if (!take_name(data + 24, record.region) || !take_name(data + 24 + BLOCK_NAME_SIZE, record.snapshot))
		return error_input(err, "%s: it names no region or no snapshot", file);
	*ret = record;
	return 0;
}

static int check_frame(const uint8_t *data, size_t size, const char *file, struct error *err)
{
	uint64_t count = read_le64(data + 16);
	struct digest digest;

	if (count > BLOCK_COUNT_MAX)
		return error_input(err, "%s: more blocks than a snapshot can have", file);
	if (size != BLOCK_RECORD_HEAD + (size_t)count * BLOCK_RECORD_ENTRY + BLOCK_DIGEST_SIZE)
		return error_input(err, "%s: cut off, or too long", file);
	digest_of(DIGEST_SHA256, data, size - BLOCK_DIGEST_SIZE, &digest);
	if (memcmp(digest.bytes, data + size - BLOCK_DIGEST_SIZE, BLOCK_DIGEST_SIZE))
		return error_input(err, "%s: damaged, its own checksum says", file);
	return 0;
}

static int take_entries(const uint8_t *data, const char *file, struct block_index *ret, struct error *err)
{
	size_t count = (size_t)read_le64(data + 16);
	const uint8_t *p = data + BLOCK_RECORD_HEAD;

	make_room(ret, count);
	for (size_t i = 0; i < count; i++, p += BLOCK_RECORD_ENTRY) {
		uint32_t block = read_le32(p);

		if (block >= BLOCK_COUNT_MAX || (i > 0 && block <= ret->entries[i - 1].block))
			return error_input(err, "%s: its blocks are out of order", file);
		block_index_add(ret, block, p + 4);
	}
	return 0;
}

int block_record_parse(const uint8_t *data, size_t size, const char *file, struct block_record *ret,
		       struct error *err)
{
	CLEANUP_BLOCK_RECORD struct block_record record = BLOCK_RECORD_INIT;
	int r = block_record_parse_head(data, size, file, &record, err);

	if (r == 0)
		r = check_frame(data, size, file, err);
	if (r == 0)
		r = take_entries(data, file, &record.index, err);
	if (r < 0)
		return r;
	*ret = record;
	record = (struct block_record) BLOCK_RECORD_INIT;
	return 0;
}
