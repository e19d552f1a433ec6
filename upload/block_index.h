/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_BLOCK_INDEX_H
#define KILN_UPLOAD_BLOCK_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "../factory/base/buf.h"

struct digest;
struct error;

/*
 * What an image or a snapshot holds: the SHA-256 of each of its blocks, in the size that EBS takes snapshots in. A
 * block of nothing but zeros has no entry, so an index is as large as the data is. Pure.
 */

#define BLOCK_SIZE ((size_t)512 << 10)
#define BLOCKS_PER_GIB 2048u
#define BLOCK_DIGEST_SIZE 32
/* EBS: volumes of up to 65536 GiB. */
#define BLOCK_GIB_MAX 65536u
#define BLOCK_COUNT_MAX (BLOCK_GIB_MAX * BLOCKS_PER_GIB)

struct block_entry {
	uint32_t block;			/* its number, from 0 on */
	uint8_t digest[BLOCK_DIGEST_SIZE];
};

struct block_index {
	struct block_entry *entries;	/* ascending */
	size_t count, cap;
};
#define BLOCK_INDEX_INIT { .entries = NULL }
void block_index_free(struct block_index *index);
#define CLEANUP_BLOCK_INDEX __attribute__((cleanup(block_index_free)))

/* Blocks come in ascending order. Aborts for lack of memory. */
void block_index_add(struct block_index *index, uint32_t block, const uint8_t digest[static BLOCK_DIGEST_SIZE]);
/* NULL: no entry, which is to say zeros. */
const uint8_t *block_index_find(const struct block_index *index, uint32_t block);

/* Of a block of zeros. */
void block_digest_of_zeros(uint8_t ret[static BLOCK_DIGEST_SIZE]);

/*
 * Adds to the empty index `ret` what is to be written over `parent` (NULL: over zeros) to get `image`: each block that
 * differs, with its digest in the image. A block that became zeros is among them, for where nothing is written the
 * parent shows through.
 */
void block_index_difference(const struct block_index *image, const struct block_index *parent,
			    struct block_index *ret);

/*
 * Puts into `plan` the blocks of `written` that it has not, with their digest in the image: they have been written over
 * the parent in any case.
 */
void block_index_cover(struct block_index *plan, const struct block_index *written, const struct block_index *image);

/*
 * The checksum by which CompleteSnapshot knows what was written (x-amz-Checksum with aggregation method LINEAR): the
 * SHA-256 of the digests, 32 bytes each, in ascending order of their blocks.
 */
void block_index_linear(const struct block_index *written, struct digest *ret);

/*
 * An index in a file, with the snapshot that it describes: it is how the next upload knows what need not travel.
 * "KILNBLK1"; time of completion and number of entries, 64 bits each; region and snapshot, 32 bytes each, filled up
 * with NULs; for each entry its block, 32 bits, and its digest; the SHA-256 of all before. Little-endian.
 */
#define BLOCK_NAME_SIZE 32
struct block_record {
	char region[BLOCK_NAME_SIZE], snapshot[BLOCK_NAME_SIZE];	/* with their NUL */
	int64_t completed;		/* ms since 1970: the order of uploads */
	struct block_index index;
};
#define BLOCK_RECORD_INIT { .completed = 0 }
void block_record_free(struct block_record *record);
#define CLEANUP_BLOCK_RECORD __attribute__((cleanup(block_record_free)))
#define BLOCK_RECORD_HEAD (8 + 8 + 8 + 2 * BLOCK_NAME_SIZE)
#define BLOCK_RECORD_ENTRY (4 + BLOCK_DIGEST_SIZE)

/* Appends. Aborts for lack of memory: `ret` must have no limit (SIZE_MAX). */
void block_record_format(const struct block_record *record, struct buf *ret);
/* Fuzzed. ERROR_INPUT: not such a file, cut off, damaged, blocks out of order. */
int block_record_parse(const uint8_t *data, size_t size, const char *file, struct block_record *ret,
		       struct error *err);
/* The head alone, of BLOCK_RECORD_HEAD bytes or more; *ret has no entries then. */
int block_record_parse_head(const uint8_t *data, size_t size, const char *file, struct block_record *ret,
			    struct error *err);

#endif
