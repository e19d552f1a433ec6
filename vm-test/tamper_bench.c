/* SPDX-License-Identifier: Apache-2.0 */
#include "tamper_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/process.h"
#include "../factory/format/pe.h"
#include "../factory/model/bootfile.h"
#include "../factory/model/manifest.h"

#define TEXTS_MAX (1 << 20)
#define MTOOLS_TIMEOUT_MS 60000

/* ---------------------------------------------------------------- places on the disk */

static const struct manifest_partition *find_partition(const struct tamper_bench *b, enum tamper_partition which)
{
	/* open_disk() has seen that there are as many. */
	return &b->in->manifest->partitions[which];
}

uint64_t tamper_partition_offset(const struct tamper_bench *b, enum tamper_partition which)
{
	return find_partition(b, which)->offset;
}

uint64_t tamper_partition_size(const struct tamper_bench *b, enum tamper_partition which)
{
	return find_partition(b, which)->size;
}

int tamper_flip(struct tamper_bench *b, uint64_t offset, struct error *err)
{
	CLEANUP_CLOSE int fd = open(b->disk, O_RDWR | O_CLOEXEC);
	uint8_t byte;
	int r;

	if (fd < 0)
		return error_system(err, errno, "%s", b->disk);
	r = io_pread_full(fd, &byte, 1, offset, b->disk, err);
	byte ^= 1;
	return r < 0 ? r : io_pwrite_full(fd, &byte, 1, offset, b->disk, err);
}

/* ---------------------------------------------------------------- the ESP */

static int run_mtool(const char *const *argv, struct error *err)
{
	/* It otherwise finds fault with geometries, and asks before it replaces. */
	const char *const env[] = { "MTOOLS_SKIP_CHECK=1", "LANG=C.UTF-8", NULL };
	const struct process_options options = { .argv = argv, .env = env, .timeout_ms = MTOOLS_TIMEOUT_MS };

	return process_run(&options, NULL, err);
}

int tamper_make_directory(struct tamper_bench *b, const char *path, struct error *err)
{
	const char *const argv[] = { "mmd", "-D", "s", "-i", b->volume, path, NULL };

	return run_mtool(argv, err);
}

int tamper_put(struct tamper_bench *b, const char *path, const void *data, size_t size, struct error *err)
{
	CLEANUP_FREE char *file = path_join(b->scratch.path, "file");
	const char *const argv[] = { "mcopy", "-o", "-i", b->volume, file, path, NULL };
	int r = io_write_file(file, data, size, 0600, err);

	return r < 0 ? r : run_mtool(argv, err);
}

int tamper_section(struct tamper_bench *b, const char *name, size_t from, uint8_t with, struct error *err)
{
	const struct pe_section *s;
	struct pe pe;
	int r = pe_parse(b->image.data, b->image.len, &pe, err);

	if (r < 0)
		return r;
	s = pe_find(&pe, name);
	if (!s || from >= s->raw_size)
		return error_input(err, "the boot file has no section %s of more than %zu bytes", name, from);
	b->image.data[s->raw_offset + from] = with;
	return tamper_put(b, b->boot_path, b->image.data, b->image.len, err);
}

/* ---------------------------------------------------------------- the firmware's variables */

void tamper_variable(struct tamper_bench *b, const char *name, const uint8_t guid[static 16], const void *data, size_t size)
{
	struct varstore_variable *v;

	/* The rows are a table of ours; none has as many. */
	if (b->options.variable_count == TAMPER_VARIABLES_MAX)
		abort();
	v = &b->variables[b->options.variable_count++];
	(void)snprintf(v->name, sizeof(v->name), "%s", name);
	memcpy(v->guid, guid, sizeof(v->guid));
	v->attributes = 7;	/* NON_VOLATILE, BOOTSERVICE_ACCESS, RUNTIME_ACCESS */
	v->data = data;
	v->size = size;
}

void tamper_variables(struct tamper_bench *b, const struct tamper_variables *set)
{
	for (size_t i = 0; i < set->count; i++)
		b->variables[i] = set->items[i];
	b->options.variable_count = set->count;
}

/* ---------------------------------------------------------------- opening */

static char *mtools_path(const char *boot_path)
{
	char *path = string_printf("::%s", boot_path);

	for (char *c = path; *c; c++)
		if (*c == '\\')
			*c = '/';
	return path;
}

static int open_disk(struct tamper_bench *b, struct error *err)
{
	CLEANUP_BOOTFILE struct bootfile *file = NULL;
	int r;

	b->disk = path_join(b->scratch.path, "disk.raw");
	r = io_copy_file(b->in->options->disk, b->disk, 0600, err);
	if (r == 0)
		r = bootfile_open(b->disk, &file, err);
	if (r < 0)
		return r;
	if (b->in->manifest->partition_count <= TAMPER_VERITY)
		return error_input(err, "%s has not the three partitions of an image of Kiln's", b->in->options->disk);
	b->boot_path = mtools_path(file->boot_path);
	b->volume = string_printf("%s@@%ju", b->disk, (uintmax_t)tamper_partition_offset(b, TAMPER_ESP));
	return buf_add(&b->image, file->image, file->image_size) < 0 ? error_system(err, ENOMEM, "the boot file") : 0;
}

int tamper_bench_open(const struct tamper_input *in, bool secure_boot, struct tamper_bench *ret, struct error *err)
{
	int r;

	*ret = (struct tamper_bench){
		.in = in, .secure_boot = secure_boot, .scratch = SCRATCH_INIT, .image = BUF_INIT(BOOTFILE_MAX),
		.options = *in->options, .texts = BUF_INIT(TEXTS_MAX),
	};
	r = io_scratch_new(in->options->tmp, &ret->scratch, err);
	if (r == 0)
		r = open_disk(ret, err);
	ret->options.disk = ret->disk;
	ret->options.variables = ret->variables;
	ret->options.variable_count = 0;
	ret->options.secure_boot = secure_boot;
	if (secure_boot)
		tamper_variables(ret, &in->keys);
	return r;
}

void tamper_bench_close(struct tamper_bench *b)
{
	free(b->disk);
	free(b->boot_path);
	free(b->volume);
	buf_free(&b->image);
	buf_free(&b->texts);
	io_scratch_free(&b->scratch);
}
