/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/format/moddep.h"
#include "../factory/model/plan.h"
#include "../rootfs/shell.h"
#include "../rootfs/workshop.h"
#include "registry.h"

/*
 * The kernel out of the finished tree, and the modules that /init loads.
 *
 * modules.tar: "modules.load", one path a line in load order; then the modules under these paths, as
 * they lie below lib/modules/VERSION but decompressed, so that /init need not know how.
 */

#define TEXT_MAX (16 << 20)
#define NAME_MAX_SIZE 256

/* ---------------------------------------------------------------- which kernel */

static const char list_kernels[] =
	"cd /target/root\n"
	"for modules in usr/lib/modules/*/modules.dep; do\n"
	"\tversion=${modules#usr/lib/modules/}\n"
	"\tversion=${version%/modules.dep}\n"
	"\t[ ! -e \"boot/vmlinuz-$version\" ] || echo \"$version\"\n"
	"done\n";

static int find_kernel(struct guest *g, char ret[static NAME_MAX_SIZE], struct error *err)
{
	CLEANUP_BUF struct buf list = BUF_INIT(TEXT_MAX);
	const char *text;
	size_t size;
	int r;

	r = guest_run_output(g, list_kernels, &list, err);
	if (r < 0)
		return r;
	text = buf_text(&list);
	size = strcspn(text, "\n");
	if (size == 0 || size >= NAME_MAX_SIZE)
		return error_input(err, "the image has no kernel: no package puts one in /boot with its modules in /usr/lib/modules");
	if (text[size] && text[size + 1])
		return error_input(err, "the image has more than one kernel (%.*s and %.*s): only one can be started",
				   (int)size, text, (int)strcspn(text + size + 1, "\n"), text + size + 1);
	memcpy(ret, text, size);
	ret[size] = '\0';
	return 0;
}

/* ---------------------------------------------------------------- modules */

static int read_file(struct guest *g, const char *path, struct buf *ret, struct error *err)
{
	CLEANUP_BUF struct buf script = BUF_INIT(4096);
	int r = buf_add_string(&script, "cat ");

	if (r == 0)
		r = shell_quote(&script, path);
	return r < 0 ? error_system(err, r, "%s", path) : guest_run_output(g, buf_text(&script), ret, err);
}

static int resolve(struct guest *g, const char *directory, const struct plan *plan,
		   struct moddep_list *ret, struct error *err)
{
	CLEANUP_FREE char *dep_path = path_join(directory, "modules.dep");
	CLEANUP_FREE char *builtin_path = path_join(directory, "modules.builtin");
	CLEANUP_BUF struct buf dep = BUF_INIT(TEXT_MAX), builtin = BUF_INIT(TEXT_MAX);
	int r = read_file(g, dep_path, &dep, err);

	if (r == 0)
		r = read_file(g, builtin_path, &builtin, err);
	if (r == 0)
		r = moddep_resolve(buf_text(&dep), buf_text(&builtin), plan->initrd_modules, ret, err);
	return r;
}

/* What kmod's users put behind ".ko", and what undoes it. */
static const struct compression {
	const char *suffix, *command;
} compressions[] = {
	{ ".xz", "xz -dc" },
	{ ".zst", "zstd -dcq" },
	{ ".gz", "gzip -dc" },
	{ "", "cat" },
};

static const struct compression *find_compression(const char *path)
{
	size_t size = strlen(path);

	for (const struct compression *c = compressions;; c++) {
		size_t n = strlen(c->suffix);

		if (n <= size && strcmp(path + size - n, c->suffix) == 0)
			return c;
	}
}

static int add_module(const char *path, struct buf *load, struct buf *script)
{
	const struct compression *c = find_compression(path);
	CLEANUP_FREE char *plain = string_printf("%.*s", (int)(strlen(path) - strlen(c->suffix)), path);
	int r = buf_printf(load, "%s\n", plain);

	if (r == 0)
		r = shell_assign(script, "to", plain);
	if (r == 0)
		r = buf_printf(script, "mkdir -p \"${to%%/*}\"\n%s <\"$from/$to%s\" >\"$to\"\n", c->command,
			       c->suffix);
	return r;
}

static const char pack[] =
	"find . -type f | LC_ALL=C sort | sed 's,^\\./,,' | tar --create --file=/scratch/modules.tar"
	" --format=ustar --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=0644 --files-from=-\n";

static int write_script(const char *directory, const struct moddep_list *modules, struct buf *load,
			struct buf *script)
{
	int r = buf_add_string(script, "cd /scratch/modules\n");

	if (r == 0)
		r = shell_assign(script, "from", directory);
	for (size_t i = 0; i < modules->count && r == 0; i++)
		r = add_module(modules->paths[i], load, script);
	return r < 0 ? r : buf_add_string(script, pack);
}

static int pack_modules(struct guest *g, const struct plan *plan, const char *version,
			struct error *err)
{
	CLEANUP_FREE char *directory = path_join("/target/root/usr/lib/modules", version);
	CLEANUP_MODDEP_LIST struct moddep_list modules = { 0 };
	CLEANUP_BUF struct buf load = BUF_INIT(TEXT_MAX), script = BUF_INIT(TEXT_MAX);
	int r;

	r = resolve(g, directory, plan, &modules, err);
	if (r < 0)
		return error_wrap(err, "%s", version);
	r = write_script(directory, &modules, &load, &script);
	if (r < 0)
		return error_system(err, r, "list of modules");
	r = guest_run(g, "rm -rf /scratch/modules\nmkdir /scratch/modules\n", err);
	if (r == 0)
		r = guest_write(g, "/scratch/modules/modules.load", buf_text(&load), load.len, err);
	return r < 0 ? r : guest_run(g, buf_text(&script), err);
}

/* ---------------------------------------------------------------- the stage */

static int take_files(const struct stage_context *ctx, const char *version, struct error *err)
{
	CLEANUP_FREE char *kernel = string_printf("/target/root/boot/vmlinuz-%s", version);
	const char *const files[][2] = {
		{ kernel, "vmlinuz" },
		{ "/scratch/modules.tar", "modules.tar" },
		{ "/target/root/usr/lib/os-release", "os-release" },
	};
	CLEANUP_FREE char *path = path_join(ctx->output, "kernel-version");
	CLEANUP_FREE char *line = string_printf("%s\n", version);
	int r = io_write_file(path, line, strlen(line), 0644, err);

	for (size_t i = 0; i < ARRAY_SIZE(files) && r == 0; i++) {
		CLEANUP_FREE char *to = path_join(ctx->output, files[i][1]);

		r = guest_download(workshop_guest(ctx->workshop), files[i][0], to, err);
	}
	return r;
}

static int kernel_run(const struct stage_context *ctx, struct error *err)
{
	struct guest *g = workshop_guest(ctx->workshop);
	char version[NAME_MAX_SIZE];
	int r = find_kernel(g, version, err);

	if (r == 0)
		r = pack_modules(g, ctx->plan, version, err);
	return r < 0 ? r : take_files(ctx, version, err);
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
	.version = "1",
	.room = ROOM_APPLIANCE,
	.outputs = { "vmlinuz", "modules.tar", "os-release", "kernel-version" },
	.layer = "config.qcow2",
	.key = kernel_key,
	.run = kernel_run,
};
