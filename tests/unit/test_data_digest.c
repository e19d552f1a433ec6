/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "factory/base/bytes.h"
#include "factory/base/cleanup.h"
#include "factory/base/data_digest.h"
#include "factory/base/io.h"
#include "tests/unit/tap.h"

#define BLOCKS 100
#define SIZE (BLOCKS * DATA_BLOCK + 1000)	/* the last block is short */

static char *path;

/* As the header defines it, over all bytes in memory. */
static struct digest by_definition(const uint8_t *data, size_t size)
{
	CLEANUP_DIGESTER struct digester *d = digester_new(DIGEST_SHA256);
	uint8_t number[8], *zeros = calloc(1, DATA_BLOCK);
	struct digest digest;

	need(zeros, "memory");
	write_le64(number, size);
	digester_add(d, number, 8);
	for (size_t i = 0; i * DATA_BLOCK < size; i++) {
		size_t left = size - i * DATA_BLOCK, n = left < DATA_BLOCK ? left : DATA_BLOCK;

		if (memcmp(data + i * DATA_BLOCK, zeros, n) == 0)
			continue;
		write_le64(number, i);
		digester_add(d, number, 8);
		digest_of(DIGEST_SHA256, data + i * DATA_BLOCK, n, &digest);
		digester_add(d, digest.bytes, 32);
	}
	digester_final(d, &digest);
	free(zeros);
	return digest;
}

static void put(const void *data, size_t size, uint64_t offset)
{
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct error err = ERROR_INIT;

	need(fd >= 0 && io_pwrite_full(fd, data, size, offset, path, &err) == 0, "%s", err.message);
}

static void begin(uint64_t size)
{
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	need(fd >= 0 && ftruncate(fd, (off_t)size) == 0, "a file of %" PRIu64 " bytes", size);
}

static struct digest of_file(void)
{
	struct digest digest = { .alg = DIGEST_SHA384 };
	struct error err = ERROR_INIT;
	uint64_t size = 0;

	need(data_digest_file(path, &digest, &size, &err) == 0, "the file is read (%s)", err.message);
	return digest;
}

static void check(const char *what)
{
	CLEANUP_IO_MAP struct io_map map = { 0 };
	struct error err = ERROR_INIT;
	struct digest expected, got = of_file();

	need(io_map_file(path, &map, &err) == 0, "%s", err.message);
	expected = by_definition(map.data, map.size);
	ok(digest_equal(&got, &expected), "%s: the digest is as defined", what);
}

static void test_contents(void)
{
	uint8_t *zeros = calloc(1, 2 * DATA_BLOCK);
	struct digest sparse, written, moved;

	need(zeros, "memory");
	begin(0);
	check("an empty file");
	begin(SIZE);
	check("nothing but a hole");
	put("x", 1, SIZE - 1);
	check("the last byte of a short block");
	put("first", 5, 0);
	put("second", 6, 3 * DATA_BLOCK - 3);		/* across two blocks */
	put("third", 5, 17 * DATA_BLOCK + 70000);	/* two stretches of data in one block */
	put("fourth", 6, 17 * DATA_BLOCK + 300000);
	put("fifth", 5, 16 * DATA_BLOCK);		/* the first of a worker's piece */
	check("stretches of data");
	sparse = of_file();
	put(zeros, 2 * DATA_BLOCK, 40 * DATA_BLOCK - 5);
	check("zeros that are written");
	written = of_file();
	ok(digest_equal(&sparse, &written), "count as a hole does");
	put("moved", 5, 50 * DATA_BLOCK);
	written = of_file();
	put("\0\0\0\0\0", 5, 50 * DATA_BLOCK);
	put("moved", 5, 51 * DATA_BLOCK);
	moved = of_file();
	ok(!digest_equal(&written, &moved), "the same block elsewhere is another file");
	need(truncate(path, SIZE + 1) == 0, "one byte more");
	written = of_file();
	ok(!digest_equal(&written, &moved), "the size counts");
	free(zeros);
}

static void check_part(const struct data_digests *d, const struct io_map *map, size_t offset, size_t size)
{
	struct error err = ERROR_INIT;
	struct digest expected = by_definition(map->data + offset, size), got;

	need(data_digests_part(d, offset, size, &got, &err) == 0, "a part (%s)", err.message);
	ok(digest_equal(&got, &expected), "%zu bytes at %zu are digested as a file of their own", size, offset);
}

static void test_parts(void)
{
	CLEANUP_DATA_DIGESTS struct data_digests *d = NULL;
	CLEANUP_IO_MAP struct io_map map = { 0 };
	struct error err = ERROR_INIT;
	struct digest digest = { .bytes = { 7 } };
	static const struct {
		uint64_t offset, size;
	} bad[] = {
		{ 1, DATA_BLOCK }, { 0, 5 }, { 0, SIZE + 1 }, { UINT64_MAX - DATA_BLOCK + 1, 2 * DATA_BLOCK },
		{ BLOCKS * DATA_BLOCK, 999 },
	};

	begin(SIZE);
	put("a", 1, 2 * DATA_BLOCK);
	put("b", 1, 5 * DATA_BLOCK + 9);
	put("c", 1, BLOCKS * DATA_BLOCK + 1);
	need(data_digests_read(path, &d, &err) == 0 && io_map_file(path, &map, &err) == 0, "%s", err.message);
	ok_int(data_digests_size(d), SIZE, "the size");
	check_part(d, &map, 0, SIZE);
	check_part(d, &map, 2 * DATA_BLOCK, 4 * DATA_BLOCK);
	check_part(d, &map, 3 * DATA_BLOCK, 2 * DATA_BLOCK);
	check_part(d, &map, BLOCKS * DATA_BLOCK, 1000);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		err = (struct error)ERROR_INIT;
		ok_int(data_digests_part(d, bad[i].offset, bad[i].size, &digest, &err), -EINVAL,
		       "a part that is no whole blocks is refused: %" PRIu64 ", %" PRIu64, bad[i].offset,
		       bad[i].size);
	}
	ok_error(&err, "no whole blocks", "and the message says so");
	ok_int(digest.bytes[0], 7, "nothing is returned then");
	data_digests_free(NULL);
}

static void test_no_file(const char *directory)
{
	struct error err = ERROR_INIT;
	struct digest digest;

	ok_int(data_digest_file(directory, &digest, NULL, &err), -EINVAL, "a directory is refused");
	unlink(path);
	err = (struct error)ERROR_INIT;
	ok_int(data_digest_file(path, &digest, NULL, &err), -ENOENT, "a missing file is an error");
	ok_error(&err, path, "that names it");
}

int main(void)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	const char *tmp = getenv("TMPDIR");
	struct error err = ERROR_INIT;

	need(io_scratch_new(tmp ? tmp : "/tmp", &scratch, &err) == 0, "scratch: %s", err.message);
	path = path_join(scratch.path, "file");
	test_contents();
	test_parts();
	test_no_file(scratch.path);
	free(path);
	return tap_done();
}
