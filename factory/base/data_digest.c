/* SPDX-License-Identifier: Apache-2.0 */
#include "data_digest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bytes.h"
#include "cleanup.h"
#include "digest_blocks.h"
#include "error.h"
#include "io.h"
#include "workers.h"

#define SHA256_SIZE 32
/* Blocks that one worker reads at a time. */
#define PIECE 16

struct data_digests {
	char *path;
	int fd;				/* while they are made */
	uint64_t size;
	size_t count;
	bool *present;			/* has the block anything but zeros? */
	uint8_t (*hashes)[SHA256_SIZE];
};

/* ---------------------------------------------------------------- reading */

static bool all_zero(const uint8_t *data, size_t size)
{
	return data[0] == 0 && memcmp(data, data + 1, size - 1) == 0;
}

static size_t block_size(const struct data_digests *d, size_t block)
{
	uint64_t left = d->size - (uint64_t)block * DATA_BLOCK;

	return left < DATA_BLOCK ? (size_t)left : DATA_BLOCK;
}

/* Blocks that have been read and not yet digested: two at a time cost little more than one. */
#define TOGETHER 2
struct reader {
	struct data_digests *d;
	uint8_t *data;
	size_t blocks[TOGETHER];
	size_t count;
};

static void digest_read(struct reader *r)
{
	uint8_t hashes[TOGETHER * SHA256_SIZE];

	digest_blocks("", 0, r->data, DATA_BLOCK, r->count, hashes);
	for (size_t i = 0; i < r->count; i++) {
		memcpy(r->d->hashes[r->blocks[i]], hashes + i * SHA256_SIZE, SHA256_SIZE);
		r->d->present[r->blocks[i]] = true;
	}
	r->count = 0;
}

static void digest_short(struct data_digests *d, size_t block, const uint8_t *data, size_t size)
{
	struct digest digest;

	digest_of(DIGEST_SHA256, data, size, &digest);
	memcpy(d->hashes[block], digest.bytes, SHA256_SIZE);
	d->present[block] = true;
}

static int read_block(struct reader *r, size_t block, struct error *err)
{
	uint8_t *data = r->data + r->count * DATA_BLOCK;
	size_t size = block_size(r->d, block);
	int result = io_pread_full(r->d->fd, data, size, (uint64_t)block * DATA_BLOCK, r->d->path, err);

	if (result < 0 || all_zero(data, size))
		return result;
	if (size < DATA_BLOCK) {
		digest_short(r->d, block, data, size);
		return 0;
	}
	r->blocks[r->count++] = block;
	if (r->count == TOGETHER)
		digest_read(r);
	return 0;
}

/* From one stretch of data to the next; a block may have a part in both. */
static int read_blocks(struct reader *r, size_t block, size_t last, struct error *err)
{
	const struct data_digests *d = r->d;
	uint64_t end = last < d->count ? (uint64_t)last * DATA_BLOCK : d->size;
	uint64_t start = 0, stop = 0;
	int result = 0;

	while (block < last && result == 0) {
		result = io_next_data(d->fd, (uint64_t)block * DATA_BLOCK, end, &start, &stop, d->path, err);
		if (result < 0 || start == end)
			return result;
		block = (size_t)(start / DATA_BLOCK);
		for (; (uint64_t)block * DATA_BLOCK < stop && result == 0; block++)
			result = read_block(r, block, err);
	}
	return result;
}

static int read_piece(void *arg, size_t piece, struct error *err)
{
	CLEANUP_FREE uint8_t *data = malloc(TOGETHER * DATA_BLOCK);
	struct reader r = { .d = arg, .data = data };
	size_t first = piece * PIECE, left = r.d->count - first;
	int result;

	if (!data)
		error_no_memory();
	result = read_blocks(&r, first, first + (left < PIECE ? left : PIECE), err);
	if (result == 0)
		digest_read(&r);
	return result;
}

static int open_file(struct data_digests *d, struct error *err)
{
	struct stat st;

	d->fd = open(d->path, O_RDONLY | O_CLOEXEC);
	if (d->fd < 0)
		return error_system(err, errno, "cannot open %s", d->path);
	if (fstat(d->fd, &st) < 0)
		return error_system(err, errno, "cannot stat %s", d->path);
	if (!S_ISREG(st.st_mode))
		return error_input(err, "%s is not a regular file", d->path);
	d->size = (uint64_t)st.st_size;
	d->count = (size_t)(d->size / DATA_BLOCK + (d->size % DATA_BLOCK != 0));
	d->present = calloc(d->count + 1, sizeof(*d->present));
	d->hashes = calloc(d->count + 1, sizeof(*d->hashes));
	if (!d->present || !d->hashes)
		error_no_memory();
	return 0;
}

int data_digests_read(const char *path, struct data_digests **ret, struct error *err)
{
	CLEANUP_DATA_DIGESTS struct data_digests *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		error_no_memory();
	d->fd = -1;
	d->path = string_copy(path);
	r = open_file(d, err);
	if (r == 0)
		r = workers_try((d->count + PIECE - 1) / PIECE, read_piece, d, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(d);
	return 0;
}

void data_digests_free(struct data_digests *d)
{
	if (!d)
		return;
	cleanup_close(&d->fd);
	free(d->path);
	free(d->present);
	free(d->hashes);
	free(d);
}

void data_digests_freep(struct data_digests **d)
{
	data_digests_free(*d);
}

/* ---------------------------------------------------------------- digests */

uint64_t data_digests_size(const struct data_digests *d)
{
	return d->size;
}

const uint8_t *data_digests_block(const struct data_digests *d, size_t block)
{
	return block < d->count && d->present[block] ? d->hashes[block] : NULL;
}

static void add_number(struct digester *digester, uint64_t number)
{
	uint8_t bytes[8];

	write_le64(bytes, number);
	digester_add(digester, bytes, sizeof(bytes));
}

int data_digests_part(const struct data_digests *d, uint64_t offset, uint64_t size, struct digest *ret,
		      struct error *err)
{
	CLEANUP_DIGESTER struct digester *digester = digester_new(DIGEST_SHA256);
	size_t first = (size_t)(offset / DATA_BLOCK);

	if (!range_fits(offset, size, d->size) || offset % DATA_BLOCK ||
	    (size % DATA_BLOCK && offset + size != d->size))
		return error_input(err, "%s: %" PRIu64 " bytes at byte %" PRIu64 " are no whole blocks of %zu bytes",
				   d->path, size, offset, DATA_BLOCK);
	add_number(digester, size);
	for (size_t i = 0; (uint64_t)i * DATA_BLOCK < size; i++) {
		if (!d->present[first + i])
			continue;
		add_number(digester, i);
		digester_add(digester, d->hashes[first + i], SHA256_SIZE);
	}
	digester_final(digester, ret);
	return 0;
}

int data_digest_file(const char *path, struct digest *ret, uint64_t *ret_size, struct error *err)
{
	CLEANUP_DATA_DIGESTS struct data_digests *d = NULL;
	int r = data_digests_read(path, &d, err);

	if (r == 0)
		r = data_digests_part(d, 0, d->size, ret, err);
	if (r == 0 && ret_size)
		*ret_size = d->size;
	return r;
}
