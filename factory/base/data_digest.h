/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_DATA_DIGEST_H
#define KILN_BASE_DATA_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "digest.h"

struct error;

/*
 * What a disk is told by. A digest of all its bytes would take as long as the disk is large, even where nothing is on
 * it. The data digest is the SHA-256 of
 *
 *	the size in bytes, 64 bits, little-endian; then in order, for each block of 512 KiB
 *	(the last may be shorter) that holds anything but zeros:
 *	its number from 0 on, 64 bits, little-endian, and its SHA-256.
 *
 * So it depends on the bytes alone, not on where the file system has holes, and takes time only for data. The blocks
 * are those in which EBS direct APIs take a snapshot, each with its SHA-256.
 */
#define DATA_BLOCK ((size_t)512 << 10)

/* The digests of a file's blocks, from which those of its parts are made; 32 bytes of memory a block. */
struct data_digests;
int data_digests_read(const char *path, struct data_digests **ret, struct error *err);
uint64_t data_digests_size(const struct data_digests *d);	/* of the file */
/* SHA-256 of block number `block`, 32 bytes, of as many bytes as it has; NULL when they are zeros or there is none. */
const uint8_t *data_digests_block(const struct data_digests *d, size_t block);
/* Of a part that begins and ends on blocks' boundaries or at the file's end; ERROR_INPUT otherwise. */
int data_digests_part(const struct data_digests *d, uint64_t offset, uint64_t size, struct digest *ret,
		      struct error *err);
void data_digests_free(struct data_digests *d);
void data_digests_freep(struct data_digests **d);
#define CLEANUP_DATA_DIGESTS __attribute__((cleanup(data_digests_freep)))

/* Of a whole file; *ret_size may be NULL. */
int data_digest_file(const char *path, struct digest *ret, uint64_t *ret_size, struct error *err);

#endif
