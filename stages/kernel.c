/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/format/moddep.h"
#include "../factory/model/plan.h"
#include "../rootfs/guest.h"
#include "../rootfs/workshop.h"
#include "registry.h"

/*
 * Takes the kernel, its name and the modules that the initrd loads out of the finished tree, so that the
 * factory process can make initrd and UKI from bytes.
 */

#define MODULES "/target/root/usr/lib/modules"
#define INDEX_MAX (16 * 1024 * 1024)
#define SCRIPT_MAX (256 * 1024)

/* Names go into shell scripts: a kernel's and its modules' need no more than these. */
static int check_name(const char *name, struct error *err)
{
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("/._+~-", *c))
			return error_input(err, "\"%s\" is no name for a kernel or a module", name);
	return 0;
}

/* *ret: the version of the one kernel in the tree, malloc'ed. */
static int find_kernel(struct guest *guest, char **ret, struct error *err)
{
	CLEANUP_BUF struct buf list = BUF_INIT(INDEX_MAX);
	CLEANUP_FREE char *version = NULL;
	const char *end;
	int r;

	r = guest_run_output(guest, "cd " MODULES " 2>/dev/null || exit 0\n"
			     "for d in */modules.dep; do [ ! -e \"$d\" ] || echo \"${d%/*}\"; done\n",
			     &list, err);
	if (r < 0)
		return r;
	if (list.len == 0)
		return error_input(err, "the image has no kernel with modules: its description must name a kernel package");
	end = strchr(buf_text(&list), '\n');
	if (!end || end[1])
		return error_input(err, "the image must have exactly one kernel, and has these:\n%s", buf_text(&list));
	version = string_printf("%.*s", (int)(end - buf_text(&list)), buf_text(&list));
	r = check_name(version, err);
	if (r == 0)
		*ret = TAKE_PTR(version);
	return r;
}

static int read_index(struct guest *guest, const char *version, const char *name, struct buf *ret,
		      struct error *err)
{
	CLEANUP_FREE char *script = string_printf("cat " MODULES "/%s/%s", version, name);

	return guest_run_output(guest, script, ret, err);
}

static int resolve(struct guest *guest, const struct plan *plan, const char *version,
		   struct moddep_list *ret, struct error *err)
{
	CLEANUP_BUF struct buf dep = BUF_INIT(INDEX_MAX), builtin = BUF_INIT(INDEX_MAX);
	int r = read_index(guest, version, "modules.dep", &dep, err);

	if (r == 0)
		r = read_index(guest, version, "modules.builtin", &builtin, err);
	if (r == 0)
		r = moddep_resolve(buf_text(&dep), buf_text(&builtin), plan->initrd_modules, ret, err);
	return r < 0 ? error_wrap(err, "kernel %s", version) : 0;
}

struct packing {
	const char *suffix, *unpack;
};

static const struct packing packings[] = {
	{ ".xz", "xz -dc" },
	{ ".zst", "zstd -dqc" },
	{ ".gz", "gzip -dc" },
	{ "", "cat" },
};

static const struct packing *packing_of(const char *path)
{
	size_t length = strlen(path);

	for (size_t i = 0; i < ARRAY_SIZE(packings); i++) {
		size_t suffix = strlen(packings[i].suffix);

		if (length >= suffix && strcmp(path + length - suffix, packings[i].suffix) == 0)
			return &packings[i];
	}
	return &packings[ARRAY_SIZE(packings) - 1];
}

/* Adds the lines that unpack one module, and its name to the list of what is loaded in which order. */
static int add_module(const char *version, const char *path, struct buf *script, struct buf *load,
		      struct error *err)
{
	const struct packing *packing = packing_of(path);
	int plain = (int)(strlen(path) - strlen(packing->suffix));
	const char *slash = strrchr(path, '/');
	int r = check_name(path, err);

	if (r == 0 && slash)
		r = buf_printf(script, "mkdir -p '%.*s'\n", (int)(slash - path), path);
	if (r < 0)
		return r;
	r = buf_printf(script, "%s '" MODULES "/%s/%s' > '%.*s'\n", packing->unpack, version, path, plain,
		       path);
	if (r == 0)
		r = buf_printf(load, "%.*s\n", plain, path);
	return r < 0 ? error_system(err, r, "the list of modules") : 0;
}

static int pack_modules(struct guest *guest, const char *version, const struct moddep_list *modules,
			const char *to, struct error *err)
{
	CLEANUP_BUF struct buf script = BUF_INIT(SCRIPT_MAX), load = BUF_INIT(SCRIPT_MAX);
	int r = buf_add_string(&script, "set -eu\nrm -rf /work/modules\nmkdir /work/modules\ncd /work/modules\n");

	for (size_t i = 0; i < modules->count && r == 0; i++) {
		r = add_module(version, modules->paths[i], &script, &load, err);
		if (r < 0)
			return r;
	}
	if (r == 0)
		r = buf_add_string(&script, "mv ../modules.load .\n"
				   "tar -c --format=ustar --sort=name --owner=0 --group=0 --numeric-owner "
				   "--mode=0644 --mtime=@0 --no-recursion "
				   "-f ../modules.tar $(find . -type f -printf '%P\\n' | LC_ALL=C sort)\n");
	if (r < 0)
		return error_system(err, r, "the list of modules");
	r = guest_write(guest, "/work/modules.load", load.data, load.len, err);
	if (r == 0)
		r = guest_run(guest, buf_text(&script), err);
	return r < 0 ? r : guest_download(guest, "/work/modules.tar", to, err);
}

static int take(const struct stage_context *ctx, const char *from, const char *name, struct error *err)
{
	CLEANUP_FREE char *to = path_join(ctx->output, name);

	return guest_download(workshop_guest(ctx->workshop), from, to, err);
}

static int kernel_run(const struct stage_context *ctx, struct error *err)
{
	struct guest *guest = workshop_guest(ctx->workshop);
	CLEANUP_MODDEP_LIST struct moddep_list modules = { .paths = NULL };
	CLEANUP_FREE char *version = NULL, *image = NULL, *line = NULL;
	CLEANUP_FREE char *archive = path_join(ctx->output, "modules.tar");
	CLEANUP_FREE char *version_file = path_join(ctx->output, "kernel-version");
	int r;

	r = find_kernel(guest, &version, err);
	if (r < 0)
		return r;
	image = string_printf("/target/root/boot/vmlinuz-%s", version);
	line = string_printf("%s\n", version);
	r = take(ctx, image, "vmlinuz", err);
	if (r == 0)
		r = take(ctx, "/target/root/usr/lib/os-release", "os-release", err);
	if (r == 0)
		r = resolve(guest, ctx->plan, version, &modules, err);
	if (r == 0)
		r = pack_modules(guest, version, &modules, archive, err);
	return r < 0 ? r : io_write_file(version_file, line, strlen(line), 0644, err);
}

static int kernel_key(const struct plan *plan, struct digester *key, struct error *err)
{
	(void)err;
	for (const char *const *name = plan->initrd_modules; *name; name++)
		stage_key_string(key, "module", *name);
	return 0;
}

const struct stage stage_kernel = {
	.name = "kernel",
	.title = "taking out the kernel and its modules",
	.version = "1",
	.room = ROOM_APPLIANCE,
	.layer = "config.qcow2",
	.inputs = { "config.qcow2" },
	.outputs = { "vmlinuz", "modules.tar", "os-release", "kernel-version" },
	.key = kernel_key,
	.run = kernel_run,
};
