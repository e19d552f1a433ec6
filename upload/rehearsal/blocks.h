/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_BLOCKS_H
#define KILN_REHEARSAL_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../factory/base/data_digest.h"

struct error;

/*
 * Blocks of 512 KiB on disk. A layer is a directory with what one snapshot had written; a snapshot's contents are its
 * own layer over its parent's, and so on down. Block i lies at i * DATA_BLOCK of the sparse file `data`, its SHA-256 at
 * i * 32 of `digests` (zeros where nothing was written), the times it was written at i of `writes`.
 */

#define BLOCKS_PER_GIB 2048u
#define BLOCK_NONE UINT64_MAX

int blocks_create(const char *directory, struct error *err);
/* Data first, so that a digest stands for bytes that are there. Several threads may write, to different blocks. */
int blocks_put(const char *directory, uint64_t index, const void *data, const struct digest *digest, struct error *err);

struct blocks;
/* Opens layers for reading, the youngest first. */
int blocks_open(const char *const *directories, size_t count, struct blocks **ret, struct error *err);
void blocks_free(struct blocks *b);
void blocks_freep(struct blocks **b);
#define CLEANUP_BLOCKS __attribute__((cleanup(blocks_freep)))

/* The first block at or after `from` that was written, or BLOCK_NONE. */
int blocks_next(const struct blocks *b, uint64_t from, uint64_t *ret, struct error *err);
/* A block's digest; *ret_there is false, and the digest zeros, where nothing was written. */
int blocks_digest(const struct blocks *b, uint64_t index, struct digest *ret, bool *ret_there, struct error *err);
/* Its bytes; it must be there. */
int blocks_read(const struct blocks *b, uint64_t index, uint8_t ret[static DATA_BLOCK], struct error *err);

/* How many blocks there are, and the SHA-256 of all their digests in ascending order: the LINEAR aggregate. */
int blocks_aggregate(const struct blocks *b, uint64_t *ret_count, struct digest *ret, struct error *err);
/* Writes a sparse file of `size` bytes (a multiple of DATA_BLOCK), which must not exist. */
int blocks_export(const struct blocks *b, uint64_t size, const char *path, struct error *err);

#endif
