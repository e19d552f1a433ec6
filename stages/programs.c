/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/log.h"
#include "../factory/model/plan.h"
#include "../rootfs/packages/deb_bundle.h"
#include "../rootfs/shell.h"
#include "../rootfs/workshop.h"
#include "registry.h"
#include "transfer.h"

/*
 * What is compiled for the image: the initrd's /init and the description's own programs. By the
 * builder root's compiler, against the target's headers and libraries out of the store.
 */

#define SCRIPT_MAX (256 * 1024)

/* Kiln's sources that /init is made of: a tree of its own and what it shares with the factory. */
static const char *const init_sources[] = {
	"rootfs/init",
	"factory/base/bytes.h",
	"factory/format/gpt.c", "factory/format/gpt.h",
	"factory/format/utf16.h",
	"factory/format/verity.c", "factory/format/verity.h",
};

/* Of the sysroot's packages only headers and libraries are of use. */
static const char *const skipped[] = {
	"etc/", "var/", "usr/bin/", "usr/sbin/", "usr/share/", "usr/lib/systemd/", "usr/lib/python3",
	"usr/libexec/", NULL,
};

/* libc.so, a linker script, names files in /lib and /lib64, which a package that is not in the set links. */
static const char prepare[] =
	"mkdir -p /scratch/sysroot/usr/lib /scratch/sysroot/usr/lib64 /scratch/programs /scratch/source\n"
	"ln -s usr/lib usr/lib64 /scratch/sysroot\n";

#define COMPILER "x86_64-linux-gnu-gcc-14 --sysroot=/scratch/sysroot -std=gnu11 -D_GNU_SOURCE -O2 -g0 -s"
#define HARDENING                                                                                  \
	"-fPIE -pie -fstack-protector-strong -fstack-clash-protection -fcf-protection"             \
	" -D_FORTIFY_SOURCE=3 -Wl,-z,relro,-z,now -Wl,--as-needed"

static const char compile_init[] =
	"cd /scratch/source/kiln\n" COMPILER
	" -static -fstack-protector-strong -o /scratch/init rootfs/init/*.c factory/format/*.c\n";

/* tar without names for an archive of none; ustar, as stages hand archives to each other. */
static const char pack[] =
	"cd /scratch/programs\n"
	"find . -type f | LC_ALL=C sort | sed 's,^\\./,,' | tar --create --file=/scratch/programs.tar"
	" --format=ustar --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=0755 --files-from=-\n";

/* ---------------------------------------------------------------- the script */

static int add_libraries(const struct description_program *p, struct buf *script)
{
	int r = 0;

	for (size_t i = 0; i < p->library_count && r == 0; i++) {
		CLEANUP_FREE char *option = string_printf("-l%s", p->libraries[i]);

		r = buf_add_string(script, " ");
		if (r == 0)
			r = shell_quote(script, option);
	}
	return r;
}

static int add_program(const struct description_program *p, size_t number, struct buf *script)
{
	CLEANUP_FREE char *path = string_printf("/scratch/programs/%s", p->path);
	int r = shell_assign(script, "program", path);

	if (r == 0)
		r = buf_printf(script,
			       "mkdir -p \"${program%%/*}\"\ncd /scratch/source/%zu\n"
			       COMPILER " " HARDENING " -o \"$program\" *.c", number);
	if (r == 0)
		r = add_libraries(p, script);
	return r < 0 ? r : buf_add_string(script, "\n");
}

static int write_script(const struct plan *plan, struct buf *ret, struct error *err)
{
	const struct description *d = plan->description;
	int r = buf_add_string(ret, compile_init);

	for (size_t i = 0; i < d->program_count && r == 0; i++)
		r = add_program(&d->programs[i], i, ret);
	if (r == 0)
		r = buf_add_string(ret, pack);
	return r < 0 ? error_system(err, r, "list of programs") : 0;
}

/* ---------------------------------------------------------------- sources and sysroot */

static int send_sysroot(const struct stage_context *ctx, const char *scratch, struct error *err)
{
	CLEANUP_FREE char *archive = path_join(scratch, "sysroot.tar");
	struct guest *g = workshop_guest(ctx->workshop);
	int r;

	r = deb_bundle(ctx->store, &ctx->plan->lock->sets[LOCK_SYSROOT], NULL, skipped, (const struct deb_bundle_extra[]){ { NULL, 0, NULL } }, archive,
		       err);
	if (r == 0)
		r = guest_run(g, prepare, err);
	return r < 0 ? r : guest_untar(g, archive, "/scratch/sysroot", err);
}

static int link_source(const char *root, const char *name, const char *directory, struct error *err)
{
	CLEANUP_FREE char *target = path_join(root, name), *path = path_join(directory, name);
	CLEANUP_FREE char *parent = string_printf("%.*s", (int)(strrchr(path, '/') - path), path);
	int r = io_mkdirs(parent, 0755, err);

	if (r < 0)
		return r;
	if (symlink(target, path) < 0)
		return error_system(err, errno, "%s", path);
	return 0;
}

static int send_sources(const struct stage_context *ctx, const char *scratch, struct error *err)
{
	const struct description *d = ctx->plan->description;
	CLEANUP_FREE char *kiln = path_join(scratch, "kiln");
	struct guest *g = workshop_guest(ctx->workshop);
	int r = io_mkdirs(kiln, 0755, err);

	for (size_t i = 0; i < ARRAY_SIZE(init_sources) && r == 0; i++)
		r = link_source(ctx->plan->source_root, init_sources[i], kiln, err);
	if (r == 0)
		r = transfer_tree(g, kiln, TRANSFER_TARGETS, "/scratch/source/kiln", err);
	for (size_t i = 0; i < d->program_count && r == 0; i++) {
		CLEANUP_FREE char *to = string_printf("/scratch/source/%zu", i);

		r = transfer_tree(g, d->programs[i].source, TRANSFER_TARGETS, to, err);
	}
	return r;
}

static int send(const struct stage_context *ctx, struct error *err)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_FREE char *tmp = path_join(ctx->cache, "tmp");
	int r = io_mkdirs(tmp, 0755, err);

	if (r == 0)
		r = io_scratch_new(tmp, &scratch, err);
	if (r == 0)
		r = send_sysroot(ctx, scratch.path, err);
	if (r == 0)
		r = send_sources(ctx, scratch.path, err);
	return r;
}

/* ---------------------------------------------------------------- the stage */

static int programs_run(const struct stage_context *ctx, struct error *err)
{
	CLEANUP_FREE char *init = path_join(ctx->output, "init");
	CLEANUP_FREE char *programs = path_join(ctx->output, "programs.tar");
	CLEANUP_BUF struct buf script = BUF_INIT(SCRIPT_MAX);
	struct guest *g = workshop_guest(ctx->workshop);
	int r = write_script(ctx->plan, &script, err);

	if (r == 0)
		r = send(ctx, err);
	if (r < 0)
		return r;
	r = guest_run(g, buf_text(&script), err);
	if (r < 0)
		return error_wrap(err, "compiling");
	r = guest_download(g, "/scratch/init", init, err);
	return r < 0 ? r : guest_download(g, "/scratch/programs.tar", programs, err);
}

static int programs_key(const struct plan *plan, struct stage_key *key, struct error *err)
{
	const struct description *d = plan->description;
	CLEANUP_BUF struct buf script = BUF_INIT(SCRIPT_MAX);
	char digest[65];
	int r = 0;

	lock_set_digest(plan->lock, LOCK_SYSROOT, digest);
	stage_key_string(key, "sysroot", digest);
	for (size_t i = 0; i < ARRAY_SIZE(init_sources) && r == 0; i++) {
		CLEANUP_FREE char *path = path_join(plan->source_root, init_sources[i]);

		r = stage_key_tree(key, init_sources[i], path, err);
	}
	for (size_t i = 0; i < d->program_count && r == 0; i++)
		r = stage_key_tree(key, d->programs[i].name, d->programs[i].source, err);
	if (r == 0)
		r = write_script(plan, &script, err);
	if (r == 0)
		stage_key_string(key, "script", buf_text(&script));
	return r;
}

const struct stage stage_programs = {
	.name = "programs",
	.title = "compiling programs for the image",
	.version = "1",
	.room = ROOM_APPLIANCE,
	.outputs = { "init", "programs.tar" },
	.key = programs_key,
	.run = programs_run,
};
