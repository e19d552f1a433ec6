/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_STAGES_VERITY_TREE_H
#define KILN_STAGES_VERITY_TREE_H

#include <stddef.h>
#include <stdint.h>

struct error;

/*
 * The hash tree of dm-verity (hash type 1, SHA-256, blocks of 4096 bytes), computed on all processors and
 * byte for byte what libcryptsetup would write. Memory does not grow with the data, and time grows with
 * the data that is there, not with holes or zeros, but for a 128th of them.
 */
#define VERITY_BLOCK 4096
#define VERITY_HASH_SIZE 32

/*
 * Reads `blocks` blocks of the file `data` and writes the tree into the file `tree` from block 1 on (block 0 is
 * the superblock's). A single block has no tree: its digest is the root hash. The names are for messages.
 */
int verity_tree_write(int data, const char *data_name, uint64_t blocks, const void *salt, size_t salt_size,
		      int tree, const char *tree_name, uint8_t ret_root_hash[static VERITY_HASH_SIZE],
		      struct error *err);

#endif
