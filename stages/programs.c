/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../factory/base/buf.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/log.h"
#include "../factory/model/memory.h"
#include "../factory/model/plan.h"
#include "../rootfs/packages/deb_tree.h"
#include "../rootfs/ustar.h"
#include "compiler.h"
#include "registry.h"

/*
 * What is compiled for the image: the initrd's /init, what watches the description's scripts (it stays in the
 * appliance), and the description's own programs. By the locked compiler, against the target's
 * headers and libraries out of the store, with nothing of this machine's.
 */

#define PROGRAM_MAX (256 << 20)

/* Kiln's sources that its own programs are made of: a tree for each and what /init shares with the factory. */
static const char *const own_inputs[] = {
	"rootfs/init",
	"rootfs/watch",
	"factory/base/bytes.h",
	"factory/format/gpt.c", "factory/format/gpt.h",
	"factory/format/utf16.h",
	"factory/format/verity.c", "factory/format/verity.h",
};

static const struct own_program {
	const char *output, *directory;
	const char *files[3];		/* besides, NULL-terminated */
} own_programs[] = {
	{ "init", "rootfs/init", { "factory/format/gpt.c", "factory/format/verity.c" } },
	{ "watch", "rootfs/watch", { NULL } },
};

/* Of the sysroot's packages only headers and libraries are of use. */
static const char *const sysroot_wanted[] = { "usr/include/", "usr/lib/", "usr/lib64/", NULL };
static const char *const sysroot_skipped[] = { "usr/lib/systemd/", "usr/lib/python3", NULL };

/* ---------------------------------------------------------------- sysroot and sources */

/* libc.so, a linker script, names files in /lib and /lib64, which a package that is not in the set links. */
static int make_sysroot(const struct stage_context *ctx, const char *directory, struct error *err)
{
	static const char *const links[][2] = { { "usr/lib", "lib" }, { "usr/lib64", "lib64" } };
	int r = deb_tree(ctx->store, &ctx->plan->lock->sets[LOCK_SYSROOT], sysroot_wanted, sysroot_skipped,
			 directory, err);

	for (size_t i = 0; i < ARRAY_SIZE(links) && r == 0; i++) {
		CLEANUP_FREE char *path = path_join(directory, links[i][1]);

		if (symlink(links[i][0], path) < 0)
			r = error_system(err, errno, "%s", path);
	}
	return r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
	char **items;
	size_t count;
};

static void names_clear(struct names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->items[i]);
	free(n->items);
}
#define CLEANUP_NAMES __attribute__((cleanup(names_clear)))

static void add_name(struct names *n, char *name)
{
	char **item = memory_append(&n->items, n->count, sizeof(*item));

	*item = name;
	n->count++;
}

static void close_dir(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/* All .c files of root/sub, as "sub/NAME" (or "NAME"), sorted. */
static int list_sources(const char *root, const char *sub, struct names *ret, struct error *err)
{
	CLEANUP_FREE char *path = sub ? path_join(root, sub) : string_copy(root);
	__attribute__((cleanup(close_dir))) DIR *dir = opendir(path);
	const size_t before = ret->count;
	struct dirent *entry;

	if (!dir)
		return error_system(err, errno, "%s", path);
	while ((entry = readdir(dir))) {
		const char *dot = strrchr(entry->d_name, '.');

		if (entry->d_name[0] != '.' && dot && strcmp(dot, ".c") == 0)
			add_name(ret, sub ? path_join(sub, entry->d_name) : string_copy(entry->d_name));
	}
	if (ret->count == before)
		return error_input(err, "%s holds no .c file", path);
	qsort(ret->items + before, ret->count - before, sizeof(*ret->items), by_name);
	return 0;
}

/* ---------------------------------------------------------------- the programs */

/* An include of what is not among the inputs fails: it would be in no key. */
static int compile_own(const struct stage_context *ctx, const struct compiler *compiler,
		       const struct own_program *p, struct error *err)
{
	CLEANUP_FREE char *output = path_join(ctx->output, p->output);
	CLEANUP_NAMES struct names sources = { NULL, 0 }, inputs = { NULL, 0 };
	int r = list_sources(ctx->plan->source_root, p->directory, &sources, err);

	for (size_t i = 0; i < ARRAY_SIZE(own_inputs); i++)
		add_name(&inputs, path_join(ctx->plan->source_root, own_inputs[i]));
	add_name(&inputs, NULL);
	for (const char *const *f = p->files; *f; f++)
		add_name(&sources, string_copy(*f));
	if (r == 0)
		r = compiler_build(compiler, &(struct compiler_job) {
			.directory = ctx->plan->source_root, .sources = (const char *const *)sources.items,
			.readable = (const char *const *)inputs.items,
			.source_count = sources.count, .linkage = COMPILER_STATIC, .output = output,
		}, err);
	return r < 0 ? error_wrap(err, "compiling %s", p->directory) : 0;
}

static int compile_program(const struct compiler *compiler, const struct description_program *p,
			   const char *output, struct error *err)
{
	CLEANUP_NAMES struct names sources = { NULL, 0 };
	int r = list_sources(p->source, NULL, &sources, err);

	if (r == 0)
		r = compiler_build(compiler, &(struct compiler_job) {
			.directory = p->source, .sources = (const char *const *)sources.items,
			.source_count = sources.count, .linkage = COMPILER_HARDENED,
			.libraries = (const char *const *)p->libraries, .library_count = p->library_count,
			.output = output,
		}, err);
	return r < 0 ? error_wrap(err, "compiling %s", p->name) : 0;
}

static int pack_program(const char *built, const char *path, struct ustar *out, struct error *err)
{
	CLEANUP_IO_MAP struct io_map map = { 0 };
	int r = io_map_file(built, &map, err);

	while (*path == '/')
		path++;
	return r < 0 ? r : ustar_add(out, path, 0755, map.data, map.size, err);
}

static int by_path(const void *a, const void *b)
{
	const struct description_program *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

static int compile_programs(const struct stage_context *ctx, const struct compiler *compiler,
			    const char *scratch, struct error *err)
{
	const struct description *d = ctx->plan->description;
	CLEANUP_FREE const struct description_program **sorted =
		memory_new((d->program_count + 1) * sizeof(*sorted));
	CLEANUP_FREE char *archive = path_join(ctx->output, "programs.tar");
	CLEANUP_USTAR struct ustar *out = NULL;
	int r = ustar_create(archive, &out, err);

	for (size_t i = 0; i < d->program_count; i++)
		sorted[i] = &d->programs[i];
	if (d->program_count > 0)
		qsort(sorted, d->program_count, sizeof(*sorted), by_path);
	for (size_t i = 0; i < d->program_count && r == 0; i++) {
		CLEANUP_FREE char *built = string_printf("%s/program%zu", scratch, i);

		r = compile_program(compiler, sorted[i], built, err);
		if (r == 0)
			r = pack_program(built, sorted[i]->path, out, err);
		log_step_update(ARRAY_SIZE(own_programs) + i + 1, ARRAY_SIZE(own_programs) + d->program_count,
				"programs");
	}
	return r < 0 ? r : ustar_finish(out, err);
}

/* ---------------------------------------------------------------- the stage */

static int programs_run(const struct stage_context *ctx, struct error *err)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_FREE char *sysroot = NULL;
	int r = stage_scratch(ctx, &scratch, err);

	if (r < 0)
		return r;
	sysroot = path_join(scratch.path, "sysroot");

	const struct compiler compiler = {
		.tools = artifacts_path(ctx->artifacts, TOOLBOX_TREE), .sysroot = sysroot, .arch = ctx->plan->arch,
		.machine = ctx->plan->tools, .scratch = scratch.path,
	};

	r = make_sysroot(ctx, sysroot, err);
	for (size_t i = 0; i < ARRAY_SIZE(own_programs) && r == 0; i++)
		r = compile_own(ctx, &compiler, &own_programs[i], err);
	return r < 0 ? r : compile_programs(ctx, &compiler, scratch.path, err);
}

static int programs_key(const struct plan *plan, struct stage_key *key, struct error *err)
{
	const struct description *d = plan->description;
	int r = 0;

	stage_key_packages(key, "sysroot", plan->lock, LOCK_SYSROOT);
	stage_key_string(key, "architecture", plan->arch->name);
	compiler_key(key);
	for (size_t i = 0; i < ARRAY_SIZE(own_inputs) && r == 0; i++) {
		CLEANUP_FREE char *path = path_join(plan->source_root, own_inputs[i]);

		r = stage_key_tree(key, own_inputs[i], path, err);
	}
	for (size_t i = 0; i < d->program_count && r == 0; i++) {
		stage_key_string(key, "program", d->programs[i].path);
		for (size_t l = 0; l < d->programs[i].library_count; l++)
			stage_key_string(key, "library", d->programs[i].libraries[l]);
		r = stage_key_tree(key, d->programs[i].name, d->programs[i].source, err);
	}
	return r;
}

const struct stage stage_programs = {
	.name = "programs",
	.title = "compiling programs for the image",
	.version = "3",
	.room = ROOM_FACTORY,
	.inputs = { TOOLBOX_TREE },
	.outputs = { "init", "watch", "programs.tar" },
	.key = programs_key,
	.run = programs_run,
};
