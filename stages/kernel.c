/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../factory/base/buf.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/format/moddep.h"
#include "../factory/model/plan.h"
#include "../rootfs/packages/decompress.h"
#include "../rootfs/tree.h"
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
#define MODULES "usr/lib/modules"

/* ---------------------------------------------------------------- which kernel */

static bool is_kernel(const struct tree *tree, const char *version)
{
	CLEANUP_FREE char *modules = string_printf(MODULES "/%s/modules.dep", version);
	CLEANUP_FREE char *image = string_printf("boot/vmlinuz-%s", version);

	return tree_has(tree, modules) && tree_has(tree, image);
}

/* *ret is the tree's. */
static int find_kernel(const struct tree *tree, const char **ret, struct error *err)
{
	const char *found = NULL, *version;
	size_t position = 0;

	while ((version = tree_list(tree, MODULES, &position))) {
		if (!is_kernel(tree, version))
			continue;
		if (found)
			return error_input(err, "the image has more than one kernel (%s and %s): only one can be started",
					   found, version);
		found = version;
	}
	if (!found)
		return error_input(err, "the image has no kernel: no package puts one in /boot with its modules in /usr/lib/modules");
	*ret = found;
	return 0;
}

/* ---------------------------------------------------------------- modules */

static int resolve(const struct tree *tree, const char *directory, const struct plan *plan,
		   struct moddep_list *ret, struct error *err)
{
	CLEANUP_FREE char *dep_path = path_join(directory, "modules.dep");
	CLEANUP_FREE char *builtin_path = path_join(directory, "modules.builtin");
	CLEANUP_BUF struct buf dep = BUF_INIT(TEXT_MAX), builtin = BUF_INIT(TEXT_MAX);
	int r = tree_read(tree, dep_path, &dep, err);

	if (r == 0)
		r = tree_read(tree, builtin_path, &builtin, err);
	if (r == 0)
		r = moddep_resolve(buf_text(&dep), buf_text(&builtin), plan->initrd_modules, ret, err);
	return r;
}

static char *plain_name(const char *path)
{
	return string_printf("%.*s", (int)(strlen(path) - decompress_suffix(path)), path);
}

static int add_module(const struct tree *tree, const char *directory, const char *path, struct ustar *out,
		      struct error *err)
{
	CLEANUP_FREE char *from = path_join(directory, path), *plain = plain_name(path);
	CLEANUP_BUF struct buf packed = BUF_INIT(MODULE_MAX), module = BUF_INIT(MODULE_MAX);
	int r = tree_read(tree, from, &packed, err);

	if (r == 0)
		r = decompress(from, packed.data, packed.len, &module, err);
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

static int pack_modules(const struct stage_context *ctx, const struct tree *tree, const char *version,
			struct error *err)
{
	CLEANUP_FREE char *directory = path_join(MODULES, version);
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

static int take_file(const struct stage_context *ctx, const struct tree *tree, const char *from,
		     const char *name, struct error *err)
{
	CLEANUP_FREE char *to = path_join(ctx->output, name);

	return tree_copy(tree, from, to, err);
}

static int take_files(const struct stage_context *ctx, const struct tree *tree, const char *version,
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
	CLEANUP_TREE struct tree *tree = NULL;
	const char *version = NULL;
	int r = tree_open(artifacts_path(ctx->artifacts, "root.tar"), &tree, err);

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
	.version = "3",
	.room = ROOM_FACTORY,
	.inputs = { "root.tar" },
	.outputs = { "vmlinuz", "modules.tar", "os-release", "kernel-version" },
	.key = kernel_key,
	.run = kernel_run,
};
