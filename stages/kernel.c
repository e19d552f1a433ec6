/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>

#include "../factory/base/buf.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/format/moddep.h"
#include "../factory/model/plan.h"
#include "../rootfs/filetree.h"
#include "../rootfs/ustar.h"
#include "registry.h"

/*
 * The kernel out of the finished tree, and the modules that /init loads.
 *
 * modules.tar: "modules.load", one path a line in load order; then the modules under these paths, as
 * they lie below lib/modules/VERSION but decompressed, so that /init need not know how.
 */

#define TEXT_MAX (16 << 20)
#define MODULE_MAX (64 << 20)
#define MODULES "usr/lib/modules/"

/* ---------------------------------------------------------------- which kernel */

/* usr/lib/modules/VERSION/modules.dep, with boot/vmlinuz-VERSION beside it. malloc'ed, or NULL. */
static char *version_at(const struct filetree *tree, const char *path)
{
	CLEANUP_FREE char *version = NULL, *image = NULL;
	const char *rest;
	size_t size;

	if (strncmp(path, MODULES, strlen(MODULES)) != 0)
		return NULL;
	rest = path + strlen(MODULES);
	size = strcspn(rest, "/");
	if (strcmp(rest + size, "/modules.dep") != 0)
		return NULL;
	version = string_printf("%.*s", (int)size, rest);
	image = string_printf("boot/vmlinuz-%s", version);
	return filetree_find(tree, image) ? TAKE_PTR(version) : NULL;
}

static int find_kernel(const struct filetree *tree, char **ret, struct error *err)
{
	CLEANUP_FREE char *found = NULL;

	for (size_t i = 0; i < tree->count; i++) {
		CLEANUP_FREE char *version = version_at(tree, tree->nodes[i].path);

		if (!version)
			continue;
		if (found)
			return error_input(err, "the image has more than one kernel (%s and %s): only one can be started",
					   found, version);
		found = TAKE_PTR(version);
	}
	if (!found)
		return error_input(err, "the image has no kernel: no package puts one in /boot with its modules in /usr/lib/modules");
	*ret = TAKE_PTR(found);
	return 0;
}

/* ---------------------------------------------------------------- modules */

static int read_file(const struct filetree *tree, const char *path, struct buf *ret, struct error *err)
{
	const struct filetree_node *node;
	int r = filetree_resolve(tree, path, &node, err);

	return r < 0 ? r : filetree_read(tree, node, ret, err);
}

static int resolve(const struct filetree *tree, const char *directory, const struct plan *plan,
		   struct moddep_list *ret, struct error *err)
{
	CLEANUP_FREE char *dep_path = path_join(directory, "modules.dep");
	CLEANUP_FREE char *builtin_path = path_join(directory, "modules.builtin");
	CLEANUP_BUF struct buf dep = BUF_INIT(TEXT_MAX), builtin = BUF_INIT(TEXT_MAX);
	int r = read_file(tree, dep_path, &dep, err);

	if (r == 0)
		r = read_file(tree, builtin_path, &builtin, err);
	if (r == 0)
		r = moddep_resolve(buf_text(&dep), buf_text(&builtin), plan->initrd_modules, ret, err);
	return r;
}

/* What kmod's users put behind ".ko". */
static char *plain_name(const char *path)
{
	static const char *const suffixes[] = { ".xz", ".zst", ".gz" };
	size_t size = strlen(path);

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t n = strlen(suffixes[i]);

		if (n < size && strcmp(path + size - n, suffixes[i]) == 0)
			return string_printf("%.*s", (int)(size - n), path);
	}
	return string_copy(path);
}

static int add_module(const struct filetree *tree, const char *directory, const char *path, struct ustar *out,
		      struct error *err)
{
	CLEANUP_FREE char *from = path_join(directory, path), *plain = plain_name(path);
	CLEANUP_BUF struct buf packed = BUF_INIT(MODULE_MAX), module = BUF_INIT(MODULE_MAX);
	int r = read_file(tree, from, &packed, err);

	if (r == 0)
		r = decompress(packed.data, packed.len, from, &module, err);
	return r < 0 ? r : ustar_add(out, plain, 0644, module.data, module.len, err);
}

static int add_load_list(const struct moddep_list *modules, struct ustar *out, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
	int r = 0;

	for (size_t i = 0; i < modules->count && r == 0; i++) {
		CLEANUP_FREE char *plain = plain_name(modules->paths[i]);

		r = buf_printf(&text, "%s\n", plain);
	}
	if (r < 0)
		return error_system(err, r, "list of modules");
	return ustar_add(out, "modules.load", 0644, buf_text(&text), text.len, err);
}

static int pack_modules(const struct stage_context *ctx, const struct filetree *tree, const char *version,
			struct error *err)
{
	CLEANUP_FREE char *directory = path_join("usr/lib/modules", version);
	CLEANUP_FREE char *path = path_join(ctx->output, "modules.tar");
	CLEANUP_MODDEP_LIST struct moddep_list modules = { 0 };
	CLEANUP_USTAR struct ustar *out = NULL;
	int r = resolve(tree, directory, ctx->plan, &modules, err);

	if (r == 0)
		r = ustar_create(path, &out, err);
	if (r == 0)
		r = add_load_list(&modules, out, err);
	for (size_t i = 0; i < modules.count && r == 0; i++)
		r = add_module(tree, directory, modules.paths[i], out, err);
	if (r == 0)
		r = ustar_finish(out, err);
	return r < 0 ? error_wrap(err, "%s", version) : 0;
}

/* ---------------------------------------------------------------- the stage */

static int take_file(const struct stage_context *ctx, const struct filetree *tree, const char *from,
		     const char *name, struct error *err)
{
	CLEANUP_FREE char *to = path_join(ctx->output, name);
	const struct filetree_node *node;
	int r = filetree_resolve(tree, from, &node, err);

	return r < 0 ? r : filetree_copy_out(tree, node, to, err);
}

static int take_files(const struct stage_context *ctx, const struct filetree *tree, const char *version,
		      struct error *err)
{
	CLEANUP_FREE char *kernel = string_printf("boot/vmlinuz-%s", version);
	CLEANUP_FREE char *path = path_join(ctx->output, "kernel-version");
	CLEANUP_FREE char *line = string_printf("%s\n", version);
	int r = io_write_file(path, line, strlen(line), 0644, err);

	if (r == 0)
		r = take_file(ctx, tree, kernel, "vmlinuz", err);
	return r < 0 ? r : take_file(ctx, tree, "usr/lib/os-release", "os-release", err);
}

static int kernel_run(const struct stage_context *ctx, struct error *err)
{
	CLEANUP_FILETREE struct filetree *tree = NULL;
	CLEANUP_FREE char *version = NULL;
	int r = filetree_open(artifacts_path(ctx->artifacts, "root.tar"), &tree, err);

	if (r == 0)
		r = find_kernel(tree, &version, err);
	if (r == 0)
		r = pack_modules(ctx, tree, version, err);
	return r < 0 ? r : take_files(ctx, tree, version, err);
}

static int kernel_key(const struct plan *plan, struct stage_key *key, struct error *err)
{
	(void)err;
	for (const char *const *name = plan->initrd_modules; *name; name++)
		stage_key_string(key, "module", *name);
	return 0;
}

const struct stage stage_kernel = {
	.name = "kernel",
	.title = "taking out the kernel",
	.version = "2",
	.room = ROOM_FACTORY,
	.inputs = { "root.tar" },
	.outputs = { "vmlinuz", "modules.tar", "os-release", "kernel-version" },
	.key = kernel_key,
	.run = kernel_run,
};
