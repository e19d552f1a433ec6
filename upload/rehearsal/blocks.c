/* SPDX-License-Identifier: Apache-2.0 */
#include "blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/model/memory.h"

#define DIGEST_BYTES 32
/* Digests looked through at a time. */
#define WINDOW 128

struct layer {
	int data, digests;
	uint64_t count;			/* of digests */
	char *name;
};

struct blocks {
	struct layer *layers;
	size_t count;
};

/* ---------------------------------------------------------------- writing */

int blocks_create(const char *directory, struct error *err)
{
	static const char *const files[] = { "data", "digests", "writes" };
	int r = io_mkdirs(directory, 0777, err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(files); i++) {
		CLEANUP_FREE char *path = path_join(directory, files[i]);
		CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

		if (fd < 0)
			r = error_system(err, errno, "cannot create %s", path);
	}
	return r;
}

static int put_at(const char *directory, const char *name, uint64_t offset, const void *data, size_t size,
		  struct error *err)
{
	CLEANUP_FREE char *path = path_join(directory, name);
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return error_system(err, errno, "cannot open %s", path);
	return io_pwrite_full(fd, data, size, offset, path, err);
}

static int count_write(const char *directory, uint64_t index, struct error *err)
{
	CLEANUP_FREE char *path = path_join(directory, "writes");
	CLEANUP_CLOSE int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t count = 0;

	/* Beyond the end nothing is read, and the count is 0. */
	if (fd < 0 || pread(fd, &count, 1, (off_t)index) < 0)
		return error_system(err, errno, "cannot read %s", path);
	if (count < UINT8_MAX)
		count++;
	return io_pwrite_full(fd, &count, 1, index, path, err);
}

int blocks_put(const char *directory, uint64_t index, const void *data, const struct digest *digest, struct error *err)
{
	int r = put_at(directory, "data", index * DATA_BLOCK, data, DATA_BLOCK, err);

	if (r == 0)
		r = put_at(directory, "digests", index * DIGEST_BYTES, digest->bytes, DIGEST_BYTES, err);
	if (r == 0)
		r = count_write(directory, index, err);
	return r;
}

/* ---------------------------------------------------------------- reading */

static int open_file(const char *directory, const char *name, int *ret, struct error *err)
{
	CLEANUP_FREE char *path = path_join(directory, name);

	*ret = open(path, O_RDONLY | O_CLOEXEC);
	return *ret < 0 ? error_system(err, errno, "cannot open %s", path) : 0;
}

static int open_layer(const char *directory, struct layer *l, struct error *err)
{
	struct stat st;
	int r;

	*l = (struct layer){ .data = -1, .digests = -1, .name = string_copy(directory) };
	r = open_file(directory, "data", &l->data, err);
	if (r == 0)
		r = open_file(directory, "digests", &l->digests, err);
	if (r == 0 && fstat(l->digests, &st) < 0)
		r = error_system(err, errno, "%s", directory);
	if (r == 0)
		l->count = (uint64_t)st.st_size / DIGEST_BYTES;
	return r;
}

int blocks_open(const char *const *directories, size_t count, struct blocks **ret, struct error *err)
{
	CLEANUP_BLOCKS struct blocks *b = memory_new(sizeof(*b));
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		(void)memory_append(&b->layers, b->count, sizeof(*b->layers));
		r = open_layer(directories[i], &b->layers[b->count++], err);
	}
	if (r == 0)
		*ret = TAKE_PTR(b);
	return r;
}

void blocks_free(struct blocks *b)
{
	for (size_t i = 0; b && i < b->count; i++) {
		cleanup_close(&b->layers[i].data);
		cleanup_close(&b->layers[i].digests);
		free(b->layers[i].name);
	}
	if (b)
		free(b->layers);
	free(b);
}

void blocks_freep(struct blocks **b)
{
	blocks_free(*b);
}

static bool is_zero(const uint8_t *digest)
{
	static const uint8_t zero[DIGEST_BYTES];

	return memcmp(digest, zero, DIGEST_BYTES) == 0;
}

/* The first digest of a window of the layer that is there; `from` + the window's size when none is. */
static int search_window(const struct layer *l, uint64_t from, uint64_t *ret, struct error *err)
{
	uint64_t count = l->count - from < WINDOW ? l->count - from : WINDOW;
	uint8_t window[WINDOW * DIGEST_BYTES];
	int r = io_pread_full(l->digests, window, count * DIGEST_BYTES, from * DIGEST_BYTES, l->name, err);

	for (*ret = from; r == 0 && *ret < from + count; (*ret)++)
		if (!is_zero(window + (*ret - from) * DIGEST_BYTES))
			break;
	return r;
}

static int next_in_layer(const struct layer *l, uint64_t from, uint64_t *ret, struct error *err)
{
	uint64_t end = l->count * DIGEST_BYTES, start, stop, found;
	int r;

	*ret = BLOCK_NONE;
	while (from < l->count) {
		r = io_next_data(l->digests, from * DIGEST_BYTES, end, &start, &stop, l->name, err);
		if (r < 0 || start >= end)
			return r;
		if (start / DIGEST_BYTES > from)
			from = start / DIGEST_BYTES;
		r = search_window(l, from, &found, err);
		if (r < 0)
			return r;
		if (found < l->count && found < from + WINDOW) {
			*ret = found;
			return 0;
		}
		from = found;
	}
	return 0;
}

int blocks_next(const struct blocks *b, uint64_t from, uint64_t *ret, struct error *err)
{
	int r = 0;

	*ret = BLOCK_NONE;
	for (size_t i = 0; r == 0 && i < b->count; i++) {
		uint64_t found;

		r = next_in_layer(&b->layers[i], from, &found, err);
		if (r == 0 && found < *ret)
			*ret = found;
	}
	return r;
}

/* The youngest layer that has the block, or NULL. */
static int find_block(const struct blocks *b, uint64_t index, const struct layer **ret, struct digest *digest,
		      struct error *err)
{
	*ret = NULL;
	*digest = (struct digest){ .alg = DIGEST_SHA256 };
	for (size_t i = 0; i < b->count; i++) {
		const struct layer *l = &b->layers[i];
		int r;

		if (index >= l->count)
			continue;
		r = io_pread_full(l->digests, digest->bytes, DIGEST_BYTES, index * DIGEST_BYTES, l->name, err);
		if (r < 0)
			return r;
		if (!is_zero(digest->bytes)) {
			*ret = l;
			return 0;
		}
	}
	return 0;
}

int blocks_digest(const struct blocks *b, uint64_t index, struct digest *ret, bool *ret_there, struct error *err)
{
	const struct layer *l;
	int r = find_block(b, index, &l, ret, err);

	*ret_there = l;
	return r;
}

int blocks_read(const struct blocks *b, uint64_t index, uint8_t ret[static DATA_BLOCK], struct error *err)
{
	const struct layer *l;
	struct digest digest;
	int r = find_block(b, index, &l, &digest, err);

	if (r == 0 && !l)
		return error_input(err, "block %ju was never written", (uintmax_t)index);
	return r < 0 ? r : io_pread_full(l->data, ret, DATA_BLOCK, index * DATA_BLOCK, l->name, err);
}

/* ---------------------------------------------------------------- the whole */

int blocks_aggregate(const struct blocks *b, uint64_t *ret_count, struct digest *ret, struct error *err)
{
	CLEANUP_DIGESTER struct digester *d = digester_new(DIGEST_SHA256);
	uint64_t count = 0, index;
	struct digest digest;
	bool there;
	int r = blocks_next(b, 0, &index, err);

	while (r == 0 && index != BLOCK_NONE) {
		r = blocks_digest(b, index, &digest, &there, err);
		digester_add(d, digest.bytes, DIGEST_BYTES);
		count++;
		if (r == 0)
			r = blocks_next(b, index + 1, &index, err);
	}
	*ret_count = count;
	digester_final(d, ret);
	return r;
}

static int copy_blocks(const struct blocks *b, int fd, uint64_t size, const char *path, struct error *err)
{
	CLEANUP_FREE uint8_t *data = memory_new(DATA_BLOCK);
	uint64_t index;
	int r = blocks_next(b, 0, &index, err);

	while (r == 0 && index < size / DATA_BLOCK) {
		r = blocks_read(b, index, data, err);
		if (r == 0)
			r = io_pwrite_full(fd, data, DATA_BLOCK, index * DATA_BLOCK, path, err);
		if (r == 0)
			r = blocks_next(b, index + 1, &index, err);
	}
	return r;
}

int blocks_export(const struct blocks *b, uint64_t size, const char *path, struct error *err)
{
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

	if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
		return error_system(err, errno, "cannot create %s", path);
	return copy_blocks(b, fd, size, path, err);
}
