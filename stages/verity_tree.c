/* SPDX-License-Identifier: Apache-2.0 */
#include "verity_tree.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/digest_blocks.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/workers.h"

/* A hash block holds the digests of this many blocks of the level below. */
#define FAN_OUT (VERITY_BLOCK / VERITY_HASH_SIZE)
/* What is read at once: the blocks below one hash block, half a MiB, which stays in a processor's cache. */
#define CHUNK_SIZE ((size_t)FAN_OUT * VERITY_BLOCK)
/* Hash blocks that one worker makes at a time. */
#define PIECE 16
#define LEVELS_MAX 10		/* 128^10 > 2^64 */

/* Bytes of one of the two files. */
struct place {
	int fd;
	const char *name;
	uint64_t offset;
};

/*
 * One level: hash blocks over the blocks below. `common` is a block that may occur often below, with its digest: zeros
 * in the data, and in each level the hash block over nothing but the common one of the level below.
 */
struct level {
	struct place from, to;
	uint64_t inputs, outputs;	/* blocks */
	bool holes;			/* where `from` has holes, its blocks are the common one */
	const void *salt;
	size_t salt_size;
	uint8_t common[VERITY_BLOCK];
	uint8_t common_hash[VERITY_HASH_SIZE];
};

/* ---------------------------------------------------------------- one hash block */

static bool is_common(const struct level *l, const uint8_t *block)
{
	return memcmp(block, l->common, VERITY_BLOCK) == 0;
}

/* Runs of other blocks are hashed as a whole; `hashes` is the hash block. */
static void hash_blocks(const struct level *l, const uint8_t *blocks, size_t count, uint8_t *hashes)
{
	size_t first = 0, at;

	for (at = 0; at <= count; at++) {
		bool common = at < count && is_common(l, blocks + at * VERITY_BLOCK);

		if (at < count && !common)
			continue;
		digest_blocks(l->salt, l->salt_size, blocks + first * VERITY_BLOCK, VERITY_BLOCK, at - first,
			      hashes + first * VERITY_HASH_SIZE);
		if (common)
			memcpy(hashes + at * VERITY_HASH_SIZE, l->common_hash, VERITY_HASH_SIZE);
		first = at + 1;
	}
}

/* How many of `most` blocks from `first` on there are. */
static size_t count_inputs(const struct level *l, uint64_t first, size_t most)
{
	uint64_t left = l->inputs - first;

	return left < most ? (size_t)left : most;
}

static int is_hole(const struct level *l, uint64_t offset, size_t size, bool *ret, struct error *err)
{
	uint64_t start = 0, stop = 0;
	int r;

	*ret = false;
	if (!l->holes)
		return 0;
	r = io_next_data(l->from.fd, offset, offset + size, &start, &stop, l->from.name, err);
	if (r == 0)
		*ret = start == offset + size;
	return r;
}

static void fill_common(const struct level *l, size_t count, uint8_t *hashes)
{
	for (size_t i = 0; i < count; i++)
		memcpy(hashes + i * VERITY_HASH_SIZE, l->common_hash, VERITY_HASH_SIZE);
}

/* One hash block, that of number `index`; `hole`: it is known that no data lies below it. */
static int make_output(const struct level *l, uint64_t index, bool hole, uint8_t *chunk, uint8_t *output,
		       struct error *err)
{
	uint64_t first = index * FAN_OUT, offset = l->from.offset + first * VERITY_BLOCK;
	size_t count = count_inputs(l, first, FAN_OUT);
	int r = 0;

	if (!hole)
		r = is_hole(l, offset, count * VERITY_BLOCK, &hole, err);
	if (r == 0 && !hole)
		r = io_pread_full(l->from.fd, chunk, count * VERITY_BLOCK, offset, l->from.name, err);
	if (r < 0)
		return r;
	memset(output, 0, VERITY_BLOCK);
	if (!hole)
		hash_blocks(l, chunk, count, output);
	else
		fill_common(l, count, output);
	return 0;
}

/* ---------------------------------------------------------------- one level */

static int make_piece(void *arg, size_t piece, struct error *err)
{
	const struct level *l = arg;
	uint64_t first = (uint64_t)piece * PIECE, left = l->outputs - first;
	size_t count = left < PIECE ? (size_t)left : PIECE;
	CLEANUP_FREE uint8_t *chunk = malloc(CHUNK_SIZE);
	CLEANUP_FREE uint8_t *outputs = malloc((size_t)PIECE * VERITY_BLOCK);
	bool hole = false;
	int r;

	if (!chunk || !outputs)
		error_no_memory();
	r = is_hole(l, l->from.offset + first * FAN_OUT * VERITY_BLOCK,
		    count_inputs(l, first * FAN_OUT, (size_t)PIECE * FAN_OUT) * VERITY_BLOCK, &hole, err);
	for (size_t i = 0; i < count && r == 0; i++)
		r = make_output(l, first + i, hole, chunk, outputs + i * VERITY_BLOCK, err);
	if (r < 0)
		return r;
	return io_pwrite_full(l->to.fd, outputs, count * VERITY_BLOCK,
			      l->to.offset + first * VERITY_BLOCK, l->to.name, err);
}

static int make_level(struct level *l, struct error *err)
{
	return workers_try((size_t)((l->outputs + PIECE - 1) / PIECE), make_piece, l, err);
}

/* The level above: what was written is what is read, and the common block is the one made of common ones. */
static void climb(struct level *l)
{
	l->from = l->to;
	l->holes = false;
	l->inputs = l->outputs;
	for (size_t i = 0; i < FAN_OUT; i++)
		memcpy(l->common + i * VERITY_HASH_SIZE, l->common_hash, VERITY_HASH_SIZE);
	digest_blocks(l->salt, l->salt_size, l->common, VERITY_BLOCK, 1, l->common_hash);
}

/* ---------------------------------------------------------------- the tree */

static uint64_t blocks_above(uint64_t blocks)
{
	return blocks / FAN_OUT + (blocks % FAN_OUT != 0);
}

/* The topmost level comes first in the file; `ret` counts from the level over the data. */
static unsigned int place_levels(uint64_t blocks, uint64_t ret[static LEVELS_MAX])
{
	uint64_t counts[LEVELS_MAX], offset = VERITY_BLOCK;
	unsigned int levels = 0;

	while (blocks > 1) {
		blocks = blocks_above(blocks);
		counts[levels++] = blocks;
	}
	for (unsigned int i = levels; i-- > 0;) {
		ret[i] = offset;
		offset += counts[i] * VERITY_BLOCK;
	}
	return levels;
}

/* The digest of the one block that is left. */
static int hash_top(const struct level *l, uint8_t ret[static VERITY_HASH_SIZE], struct error *err)
{
	uint8_t block[VERITY_BLOCK];
	int r = io_pread_full(l->from.fd, block, sizeof(block), l->from.offset, l->from.name, err);

	if (r == 0)
		digest_blocks(l->salt, l->salt_size, block, sizeof(block), 1, ret);
	return r;
}

int verity_tree_write(int data, const char *data_name, uint64_t blocks, const void *salt, size_t salt_size,
		      int tree, const char *tree_name, uint8_t ret_root_hash[static VERITY_HASH_SIZE],
		      struct error *err)
{
	uint64_t offsets[LEVELS_MAX];
	unsigned int levels = place_levels(blocks, offsets);
	struct level l = {
		.from = { data, data_name, 0 },
		.holes = true,
		.inputs = blocks,
		.salt = salt,
		.salt_size = salt_size,
	};
	int r = 0;

	digest_blocks(salt, salt_size, l.common, VERITY_BLOCK, 1, l.common_hash);
	for (unsigned int i = 0; i < levels && r == 0; i++) {
		l.to = (struct place) { tree, tree_name, offsets[i] };
		l.outputs = blocks_above(l.inputs);
		r = make_level(&l, err);
		climb(&l);
	}
	return r < 0 ? r : hash_top(&l, ret_root_hash, err);
}
