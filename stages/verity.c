/* SPDX-License-Identifier: Apache-2.0 */
#include "verity.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/hex.h"
#include "../factory/base/io.h"
#include "../factory/format/verity_write.h"
#include "../factory/model/plan.h"
#include "registry.h"
#include "verity_tree.h"

/*
 * The hash tree over the root file system, on plain files: that needs neither device-mapper nor loop
 * devices, so an ordinary user can do it. All bytes are our own, those that libcryptsetup would write (the tests
 * compare): so no library of the host's reaches the image, and the tree takes all processors.
 */

#define SALT_SIZE 32

/* dm-verity hashes whole blocks only; a rest would be left unprotected. */
static int open_data(const char *path, int *ret, uint64_t *ret_blocks, struct error *err)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_system(err, errno, "%s", path);
	if (st.st_size == 0 || st.st_size % VERITY_BLOCK)
		return error_outside(err, "%s: %jd bytes are no whole number of %d-byte blocks",
				     path, (intmax_t)st.st_size, VERITY_BLOCK);
	*ret = TAKE_FD(fd);
	*ret_blocks = (uint64_t)st.st_size / VERITY_BLOCK;
	return 0;
}

static int write_superblock(const struct plan *plan, uint64_t blocks, const uint8_t salt[static SALT_SIZE],
			    const char *tree, struct error *err)
{
	struct verity_superblock sb = {
		.algorithm = "sha256",
		.data_block_size = VERITY_BLOCK,
		.hash_block_size = VERITY_BLOCK,
		.data_blocks = blocks,
		.salt_size = SALT_SIZE,
	};
	uint8_t bytes[VERITY_BLOCK] = { 0 };

	plan_uuid(plan, "verity", sb.uuid);
	memcpy(sb.salt, salt, SALT_SIZE);
	verity_write(&sb, bytes);
	return io_write_file(tree, bytes, sizeof(bytes), 0644, err);
}

static int format_tree(const struct plan *plan, const char *data, const char *tree,
		       uint8_t ret_hash[static VERITY_HASH_SIZE], struct error *err)
{
	CLEANUP_CLOSE int data_fd = -1, tree_fd = -1;
	uint8_t salt[SALT_SIZE];
	uint64_t blocks = 0;
	int r;

	plan_bytes(plan, "verity", salt);
	r = open_data(data, &data_fd, &blocks, err);
	if (r == 0)
		r = write_superblock(plan, blocks, salt, tree, err);
	if (r < 0)
		return r;
	tree_fd = open(tree, O_RDWR | O_CLOEXEC);
	if (tree_fd < 0)
		return error_system(err, errno, "%s", tree);
	return verity_tree_write(data_fd, data, blocks, salt, sizeof(salt), tree_fd, tree, ret_hash, err);
}

static int verity_run(const struct stage_context *ctx, struct error *err)
{
	CLEANUP_FREE char *tree = path_join(ctx->output, "root.verity");
	CLEANUP_FREE char *hash_file = path_join(ctx->output, "root.hash");
	const char *data = artifacts_path(ctx->artifacts, "root.erofs");
	char text[ROOT_HASH_DIGITS + 2];
	uint8_t hash[VERITY_HASH_SIZE];
	int r;

	r = format_tree(ctx->plan, data, tree, hash, err);
	if (r < 0)
		return r;
	hex_encode(hash, sizeof(hash), text);
	text[ROOT_HASH_DIGITS] = '\n';
	return io_write_file(hash_file, text, ROOT_HASH_DIGITS + 1, 0644, err);
}

static int verity_key(const struct plan *plan, struct stage_key *key, struct error *err)
{
	char text[2 * SALT_SIZE + 1];
	uint8_t bytes[SALT_SIZE];

	(void)err;
	plan_bytes(plan, "verity", bytes);
	hex_encode(bytes, SALT_SIZE, text);
	stage_key_string(key, "salt", text);
	plan_uuid(plan, "verity", bytes);
	hex_encode(bytes, 16, text);
	stage_key_string(key, "uuid", text);
	return 0;
}

int verity_root_hash(const struct artifacts *artifacts, char ret[static ROOT_HASH_DIGITS + 1],
		     struct error *err)
{
	const char *path = artifacts_path(artifacts, "root.hash");
	CLEANUP_BUF struct buf text = BUF_INIT(ROOT_HASH_DIGITS + 1);
	uint8_t hash[VERITY_HASH_SIZE];
	int r;

	r = io_read_file(path, text.max, &text, err);
	if (r < 0)
		return r;
	if (text.len != ROOT_HASH_DIGITS + 1 || text.data[ROOT_HASH_DIGITS] != '\n')
		return error_input(err, "%s: no root hash of %d digits", path, ROOT_HASH_DIGITS);
	buf_truncate(&text, ROOT_HASH_DIGITS);
	if (hex_decode(buf_text(&text), hash, sizeof(hash)) < 0)
		return error_input(err, "%s: no root hash of %d digits", path, ROOT_HASH_DIGITS);
	memcpy(ret, text.data, ROOT_HASH_DIGITS + 1);
	return 0;
}

const struct stage stage_verity = {
	.name = "verity",
	.title = "making the dm-verity hash tree",
	.version = "1",
	.room = ROOM_FACTORY,
	.inputs = { "root.erofs" },
	.outputs = { "root.verity", "root.hash" },
	.key = verity_key,
	.run = verity_run,
};
