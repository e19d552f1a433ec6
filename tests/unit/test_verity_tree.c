/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <unistd.h>

#include <libcryptsetup.h>

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "stages/verity_tree.h"
#include "tests/unit/tap.h"

/* Against libcryptsetup, which makes the same trees in its own way. */

static const char salt[32] = "a salt of two and thirty bytes.";

enum contents { FULL, ZEROS, HOLES, MIXED, CONTENTS };
static const char *const names[CONTENTS] = { "full", "zeros", "only holes", "mixed" };

static void put_block(int fd, uint64_t block, uint32_t seed)
{
	struct error err = ERROR_INIT;
	uint8_t bytes[VERITY_BLOCK];
	uint32_t x = seed;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(x >> 24);
	}
	if (seed == 0)
		memset(bytes, 0, sizeof(bytes));
	need(io_pwrite_full(fd, bytes, sizeof(bytes), block * VERITY_BLOCK, "data", &err) == 0, "%s",
	     err.message);
}

/* Mixed: stretches of data, of written zeros and of holes, none of them in step with the tree's blocks. */
static void fill(int fd, uint64_t blocks, enum contents contents)
{
	need(ftruncate(fd, (off_t)(blocks * VERITY_BLOCK)) == 0, "room");
	for (uint64_t i = 0; i < blocks && contents != HOLES; i++) {
		if (contents == ZEROS)
			put_block(fd, i, 0);
		else if (contents == FULL || i % 700 < 50)
			put_block(fd, i, (uint32_t)i + 1);
		else if (i % 700 < 350)
			put_block(fd, i, 0);
	}
}

/* By libcryptsetup: superblock and, by the flags, the tree. */
static int format_by_libcryptsetup(const char *data, const char *tree, uint64_t blocks, uint32_t flags,
				   uint8_t ret_hash[static VERITY_HASH_SIZE])
{
	struct crypt_params_verity params = {
		.hash_name = "sha256", .data_device = data, .salt = salt, .salt_size = sizeof(salt),
		.hash_type = 1, .data_block_size = VERITY_BLOCK, .hash_block_size = VERITY_BLOCK,
		.data_size = blocks, .flags = flags,
	};
	struct crypt_device *cd = NULL;
	struct error err = ERROR_INIT;
	size_t size = VERITY_HASH_SIZE;
	int r;

	need(io_write_file(tree, "", 0, 0600, &err) == 0, "%s", err.message);
	r = crypt_init(&cd, tree);
	if (r == 0)
		r = crypt_format(cd, CRYPT_VERITY, NULL, NULL, "6380cabb-44f5-898f-be05-ecc66be2e9a0", NULL, 0,
				 &params);
	if (r == 0 && flags & CRYPT_VERITY_CREATE_HASH)
		r = crypt_volume_key_get(cd, CRYPT_ANY_SLOT, (char *)ret_hash, &size, NULL, 0);
	crypt_free(cd);
	return r;
}

static bool same_files(const char *a, const char *b)
{
	CLEANUP_IO_MAP struct io_map x = { 0 }, y = { 0 };
	struct error err = ERROR_INIT;

	need(io_map_file(a, &x, &err) == 0 && io_map_file(b, &y, &err) == 0, "%s", err.message);
	return x.size == y.size && memcmp(x.data, y.data, x.size) == 0;
}

static void test_tree(const char *directory, uint64_t blocks, enum contents contents)
{
	CLEANUP_FREE char *data = path_join(directory, "data"), *theirs = path_join(directory, "theirs");
	CLEANUP_FREE char *ours = path_join(directory, "ours");
	CLEANUP_CLOSE int fd = open(data, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CLEANUP_CLOSE int tree = -1;
	uint8_t expected[VERITY_HASH_SIZE], got[VERITY_HASH_SIZE] = { 0 };
	struct error err = ERROR_INIT;
	int r;

	need(fd >= 0, "a file for the data");
	fill(fd, blocks, contents);
	need(format_by_libcryptsetup(data, theirs, blocks, CRYPT_VERITY_CREATE_HASH, expected) == 0,
	     "libcryptsetup makes a tree");
	need(format_by_libcryptsetup(data, ours, blocks, 0, got) == 0, "libcryptsetup makes a superblock");
	tree = open(ours, O_RDWR | O_CLOEXEC);
	r = verity_tree_write(fd, data, blocks, salt, sizeof(salt), tree, ours, got, &err);
	ok_int(r, 0, "%" PRIu64 " blocks, %s: the tree is written %s", blocks, names[contents], err.message);
	ok(memcmp(got, expected, sizeof(got)) == 0, "its root hash is libcryptsetup's");
	ok(same_files(ours, theirs), "its bytes are libcryptsetup's");
}

static void test_failures(const char *directory)
{
	CLEANUP_FREE char *data = path_join(directory, "data"), *ours = path_join(directory, "ours");
	CLEANUP_CLOSE int fd = open(data, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CLEANUP_CLOSE int tree = open(ours, O_RDONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CLEANUP_CLOSE int full = open("/dev/full", O_RDWR | O_CLOEXEC);
	uint8_t hash[VERITY_HASH_SIZE] = { 7 };
	struct error err = ERROR_INIT;

	need(fd >= 0 && tree >= 0 && full >= 0, "files");
	fill(fd, 20000, MIXED);
	ok(verity_tree_write(fd, data, 20000, salt, sizeof(salt), tree, ours, hash, &err) < 0,
	   "a tree that cannot be written is an error");
	ok_error(&err, ours, "that names the file");
	ok_int(hash[0], 7, "and leaves no root hash");

	err = (struct error)ERROR_INIT;
	ok(verity_tree_write(fd, data, 20000, salt, sizeof(salt), full, "disk", hash, &err) < 0,
	   "so is a full disk");
	ok_error(&err, "No space left", "which is said");

	err = (struct error)ERROR_INIT;
	need(ftruncate(fd, 19 * VERITY_BLOCK) == 0, "shortened");
	ok(verity_tree_write(fd, data, 20, salt, sizeof(salt), tree, ours, hash, &err) < 0,
	   "so is data that ends too early");
	ok_error(&err, "too early", "which is said too");
}

int main(void)
{
	static const uint64_t sizes[] = { 1, 2, 3, 127, 128, 129, 255, 256, 1000, 2047, 2049, 5555, 16383,
					  16384, 16385, 20011 };
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	const char *tmp = getenv("TMPDIR");
	struct error err = ERROR_INIT;

	need(io_scratch_new(tmp ? tmp : "/tmp", &scratch, &err) == 0, "scratch: %s", err.message);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (int contents = 0; contents < CONTENTS; contents++)
			test_tree(scratch.path, sizes[i], (enum contents)contents);
	test_failures(scratch.path);
	return tap_done();
}
