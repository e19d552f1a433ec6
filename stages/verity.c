/* SPDX-License-Identifier: Apache-2.0 */
#include "verity.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <libcryptsetup.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/hex.h"
#include "../factory/base/io.h"
#include "../factory/model/plan.h"
#include "registry.h"
#include "verity_tree.h"

/*
 * The hash tree over the root file system, on plain files: that needs neither device-mapper nor loop
 * devices, so an ordinary user can do it. The superblock is libcryptsetup's; the tree is verity_tree.c's,
 * because libcryptsetup hashes every block in one thread, holes too.
 */

#define SALT_SIZE 32

static void crypt_freep(struct crypt_device **cd)
{
	crypt_free(*cd);
}
#define CLEANUP_CRYPT __attribute__((cleanup(crypt_freep)))

/* What libcryptsetup last complained about; its return codes alone say little. */
struct complaint {
	char text[256];
};

static void keep_complaint(int level, const char *message, void *arg)
{
	struct complaint *c = arg;
	size_t size;

	if (level != CRYPT_LOG_ERROR)
		return;
	size = strcspn(message, "\n");
	if (size >= sizeof(c->text))
		size = sizeof(c->text) - 1;
	memcpy(c->text, message, size);
	c->text[size] = '\0';
}

static int foreign_error(const struct complaint *c, int code, const char *path, struct error *err)
{
	if (c->text[0])
		return error_outside(err, "libcryptsetup on %s: %s", path, c->text);
	return error_system(err, code, "libcryptsetup on %s", path);
}

/* The superblock alone: without CRYPT_VERITY_CREATE_HASH libcryptsetup leaves the tree to us. */
static int write_superblock(const char *data, uint64_t blocks, const char *tree, const uint8_t salt[static SALT_SIZE],
			    const char *uuid, struct error *err)
{
	CLEANUP_CRYPT struct crypt_device *cd = NULL;
	struct complaint complaint = { .text = "" };
	struct crypt_params_verity params = {
		.hash_name = "sha256",
		.data_device = data,
		.salt = (const char *)salt,
		.salt_size = SALT_SIZE,
		.hash_type = 1,
		.data_block_size = VERITY_BLOCK,
		.hash_block_size = VERITY_BLOCK,
		.data_size = blocks,
	};
	int r;

	r = crypt_init(&cd, tree);
	if (r < 0)
		return foreign_error(&complaint, r, tree, err);
	crypt_set_log_callback(cd, keep_complaint, &complaint);
	r = crypt_format(cd, CRYPT_VERITY, NULL, NULL, uuid, NULL, 0, &params);
	return r < 0 ? foreign_error(&complaint, r, tree, err) : 0;
}

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

static int format_tree(const struct plan *plan, const char *data, const char *tree,
		       uint8_t ret_hash[static VERITY_HASH_SIZE], struct error *err)
{
	CLEANUP_CLOSE int data_fd = -1, tree_fd = -1;
	uint8_t salt[SALT_SIZE], uuid[16], guid[16];
	char uuid_text[GUID_TEXT_SIZE];
	uint64_t blocks = 0;
	int r;

	plan_bytes(plan, "verity", salt);
	plan_uuid(plan, "verity", uuid);
	guid_from_uuid(uuid, guid);
	guid_format(guid, uuid_text);
	r = open_data(data, &data_fd, &blocks, err);
	if (r < 0)
		return r;
	/* libcryptsetup wants the hash device to be there; it grows a regular file itself. */
	r = io_write_file(tree, "", 0, 0644, err);
	if (r == 0)
		r = write_superblock(data, blocks, tree, salt, uuid_text, err);
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
