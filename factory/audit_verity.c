/* SPDX-License-Identifier: Apache-2.0 */
#include "audit_verity.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "../stages/verity_tree.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "format/verity.h"
#include "model/architecture.h"
#include "model/bootfile.h"

struct covered {
	const struct bootfile *b;
	const struct gpt_partition *root, *tree;
	struct verity_superblock sb;
	uint8_t root_hash[VERITY_HASH_SIZE];
};

/* bootfile_check_root() has looked at the rest. */
static int find_covered(const struct bootfile *b, struct covered *ret, struct error *err)
{
	CLEANUP_FREE char *cmdline = bootfile_cmdline(b);
	const char *problem;

	ret->b = b;
	ret->root = bootfile_partition(b, b->arch->root_type);
	ret->tree = bootfile_partition(b, b->arch->verity_type);
	if (!ret->root || !ret->tree || bootfile_root_hash(cmdline, ret->root_hash) < 0)
		return error_verdict(err, "%s: no root under a hash tree", b->path);
	problem = verity_parse(b->file.data + ret->tree->offset, ret->tree->size, &ret->sb);
	if (problem)
		return error_verdict(err, "%s: %s", b->path, problem);
	if (ret->sb.data_block_size != VERITY_BLOCK || ret->sb.hash_block_size != VERITY_BLOCK ||
	    ret->sb.data_blocks > ret->root->size / VERITY_BLOCK)
		return error_verdict(err, "%s: the hash tree is not over blocks of %d bytes of the root partition",
				     b->path, VERITY_BLOCK);
	return 0;
}

static int copy(const struct covered *c, const char *to, struct error *err)
{
	CLEANUP_CLOSE int from_fd = open(c->b->path, O_RDONLY | O_CLOEXEC), to_fd = -1;

	if (from_fd < 0)
		return error_system(err, errno, "%s", c->b->path);
	to_fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to_fd < 0)
		return error_system(err, errno, "%s", to);
	return io_copy_range(from_fd, c->root->offset, to_fd, 0, c->sb.data_blocks * VERITY_BLOCK, c->b->path, err);
}

/* ---------------------------------------------------------------- the tree */

static int make_tree(const struct covered *c, const char *data, const char *tree,
		     uint8_t ret[static VERITY_HASH_SIZE], struct error *err)
{
	CLEANUP_CLOSE int data_fd = open(data, O_RDONLY | O_CLOEXEC), tree_fd = -1;

	if (data_fd < 0)
		return error_system(err, errno, "%s", data);
	tree_fd = open(tree, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (tree_fd < 0)
		return error_system(err, errno, "%s", tree);
	return verity_tree_write(data_fd, data, c->sb.data_blocks, c->sb.salt, c->sb.salt_size, tree_fd, tree, ret,
				 err);
}

/* The superblock has been read; from the second block on lies the tree. */
static int compare_tree(const struct covered *c, const char *tree, struct error *err)
{
	CLEANUP_IO_MAP struct io_map made = { 0 };
	int r;

	if (c->sb.data_blocks == 1)
		return 0;
	r = io_map_file(tree, &made, err);
	if (r < 0)
		return r;
	if (made.size > c->tree->size ||
	    memcmp(made.data + VERITY_BLOCK, c->b->file.data + c->tree->offset + VERITY_BLOCK,
		   made.size - VERITY_BLOCK) != 0)
		return error_verdict(
			err, "%s: the hash tree on the disk is not that of the root partition: some reads would fail",
			c->b->path);
	return 0;
}

static int check(const struct covered *c, const char *data, const char *scratch, struct error *err)
{
	CLEANUP_FREE char *tree = path_join(scratch, "root.verity");
	uint8_t hash[VERITY_HASH_SIZE];
	int r = make_tree(c, data, tree, hash, err);

	if (r < 0)
		return r;
	if (memcmp(hash, c->root_hash, sizeof(hash)) != 0)
		return error_verdict(err, "%s: the root partition does not have the root hash of the command line",
				     c->b->path);
	return compare_tree(c, tree, err);
}

/* What no hash covers no machine reads, but somebody may have hidden it there. */
static int check_rest(const struct covered *c, struct error *err)
{
	const uint64_t covered = c->sb.data_blocks * VERITY_BLOCK;

	for (uint64_t i = covered; i < c->root->size; i++)
		if (c->b->file.data[c->root->offset + i])
			return error_verdict(err,
					     "%s: the root partition has data at its byte %" PRIu64
					     ", behind what the hash tree covers",
					     c->b->path, i);
	return 0;
}

int audit_verity_copy(const struct bootfile *b, const char *to, const char *scratch, struct error *err)
{
	struct covered c = { .b = NULL };
	int r = find_covered(b, &c, err);

	if (r == 0)
		r = copy(&c, to, err);
	if (r == 0)
		r = bootfile_check_root(b, err);
	if (r == 0)
		r = check(&c, to, scratch, err);
	return r < 0 ? r : check_rest(&c, err);
}
