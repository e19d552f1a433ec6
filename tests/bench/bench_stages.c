/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <unistd.h>

#include "factory/base/data_digest.h"
#include "factory/publish.h"
#include "tests/unit/tiny_disk.h"

/*
 * The stages of the factory process on a root of any size, without the appliance that would make it.
 *
 *	bench_stages root DIR GIB MIB	DIR/root.erofs: GIB long, sparse, MIB of it data that no compressor makes smaller
 *	bench_stages build DIR		verity, ESP, disk, measure and the published result, all in DIR/out
 *	bench_stages verity DIR		the hash tree alone
 *	bench_stages check DIR		what "kiln test" does to a disk before it boots it
 */

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
/* Stretches into which the data is cut; between them lie holes. */
#define STRETCHES 64

static void must(int r, const struct error *err)
{
	if (r == 0)
		return;
	fprintf(stderr, "bench_stages: %s\n", err->message);
	exit(1);
}

/* ---------------------------------------------------------------- a root */

static uint64_t next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static void write_stretch(int fd, uint64_t offset, uint64_t size, uint64_t *seed, const char *path)
{
	static uint64_t chunk[MIB / sizeof(uint64_t)];
	struct error err = ERROR_INIT;

	for (uint64_t done = 0; done < size; done += MIB) {
		size_t n = size - done < MIB ? (size_t)(size - done) : MIB;

		for (size_t i = 0; i < n / sizeof(*chunk); i++)
			chunk[i] = next_random(seed);
		must(io_pwrite_full(fd, chunk, n, offset + done, path, &err), &err);
	}
}

static void make_root(const char *directory, uint64_t gib, uint64_t mib)
{
	CLEANUP_FREE char *path = path_join(directory, "root.erofs");
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	uint64_t size = gib * GIB, data = mib * MIB, seed = UINT64_C(0x9e3779b97f4a7c15);
	struct error err = ERROR_INIT;

	if (fd < 0 || ftruncate(fd, (off_t)size) < 0 || data > size || data < STRETCHES * MIB)
		must(error_input(&err, "%s: no file of %" PRIu64 " GiB with %" PRIu64 " MiB of data", path, gib,
				 mib), &err);
	for (uint64_t i = 0; i < STRETCHES; i++)
		write_stretch(fd, i * (size / STRETCHES), data / STRETCHES & ~(MIB - 1), &seed, path);
}

/* ---------------------------------------------------------------- stages */

static void open_directory(struct fixture *f, const char *directory)
{
	struct error err = ERROR_INIT;

	fixture_open(f);
	free(f->output);
	f->output = path_join(directory, "out");
	must(io_remove_tree(f->output, &err), &err);
	must(io_mkdirs(f->output, 0755, &err), &err);
	artifacts_add(f->artifacts, "root.erofs", path_join(directory, "root.erofs"), "root.erofs");
}

static void run(struct fixture *f, const struct stage *stage)
{
	struct error err = ERROR_INIT;

	must(fixture_run(f, stage, &err), &err);
	for (size_t i = 0; stage->outputs[i]; i++)
		fixture_hand_on(f, stage->outputs[i]);
}

static void make_verity(const char *directory)
{
	struct fixture f;

	open_directory(&f, directory);
	run(&f, &stage_verity);
	fixture_close(&f);
}

static void build(const char *directory)
{
	CLEANUP_FREE char *result = path_join(directory, "out/result");
	char root_hash[ROOT_HASH_DIGITS + 1];
	struct error err = ERROR_INIT;
	struct fixture f;

	open_directory(&f, directory);
	tiny_firmware(&f);
	run(&f, &stage_verity);
	must(verity_root_hash(f.artifacts, root_hash, &err), &err);
	tiny_uki(&f, f.plan.arch->pe_machine, root_hash);
	tiny_esp(&f);
	run(&f, &stage_disk);
	run(&f, &stage_measure);
	fixture_input(&f, "packages", "none\n", 5);
	must(io_mkdirs(result, 0755, &err), &err);
	must(publish(f.artifacts, result, "bench", &err), &err);
	fixture_close(&f);
}

static void check(const char *directory)
{
	CLEANUP_FREE char *disk = path_join(directory, "out/result/bench.raw");
	struct error err = ERROR_INIT;
	struct digest digest;

	must(data_digest_file(disk, &digest, NULL, &err), &err);
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "root") == 0)
		make_root(argv[2], strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10));
	else if (argc == 3 && strcmp(argv[1], "build") == 0)
		build(argv[2]);
	else if (argc == 3 && strcmp(argv[1], "verity") == 0)
		make_verity(argv[2]);
	else if (argc == 3 && strcmp(argv[1], "check") == 0)
		check(argv[2]);
	else
		return fprintf(stderr, "usage: bench_stages root DIR GIB MIB | build DIR | verity DIR | check DIR\n"), 2;
	return 0;
}
