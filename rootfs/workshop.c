/* SPDX-License-Identifier: Apache-2.0 */
#include "workshop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/model/architecture.h"

/* Virtual sizes: only what is written takes room. */
#define DISK_SIZE (UINT64_C(20) << 30)

/* Two processors and 3000 MiB held every image tried; more of either gained nothing under TCG. */
#define WORKSHOP_CPUS 2
#define WORKSHOP_MEMORY_MIB 3000

#define BUILDER GUEST_DISK("builder")
#define PACKAGES GUEST_DISK("packages")
#define TARGET GUEST_DISK("target")

struct workshop {
	struct guest *guest;
	struct scratch scratch;
	char *target, *out;
};

/*
 * The overlay's optional features are off, whatever the kernel's defaults: what is in the upper directory must be
 * whole files and plain whiteouts, which any reader can put over the packages.
 */
#define MOUNT_TREE                                                                                                  \
	"mount -o noatime " TARGET " /target\n"                                                                    \
	"cd /target\n"                                                                                             \
	"mkdir -p lower upper overlay root scratch/tmp\n"                                                          \
	"chmod 1777 scratch/tmp\n"                                                                                 \
	"mount --bind scratch /scratch\n"                                                                          \
	"mount -t erofs -o ro " PACKAGES " lower\n"                                                                \
	"mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=overlay,index=off,metacopy=off,redirect_dir=off" \
	" overlay root\n"

/* The builder root is read-only, its /tmp and /run included; programs expect to write there. */
static const char mount_all[] =
	"mount -t tmpfs -o mode=1777 tmpfs /tmp\n"
	"mount -t tmpfs -o mode=755 tmpfs /run\n"
	MOUNT_TREE;

static const char unmount_tree[] =
	"umount " WORKSHOP_ROOT "\n"
	"find /scratch -mindepth 1 -delete\n"
	"umount /scratch /target/lower /target\n";

static int make_out(const char *path, struct error *err)
{
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, (off_t)DISK_SIZE) < 0)
		return error_system(err, errno, "%s", path);
	return 0;
}

static int make_disks(struct workshop *w, const struct workshop_options *o, struct error *err)
{
	int r = io_scratch_new(o->tmp, &w->scratch, err);

	if (r < 0)
		return r;
	w->target = path_join(w->scratch.path, "target.qcow2");
	w->out = path_join(w->scratch.path, "out.raw");
	r = o->layer ? io_copy_file(o->layer, w->target, 0600, err) :
		       guest_create_disk(w->target, DISK_SIZE, err);
	if (r == 0)
		r = make_out(w->out, err);
	return r;
}

static int start(struct workshop *w, const struct workshop_options *o, struct error *err)
{
	const struct guest_disk disks[] = {
		{ "builder", o->builder, "raw", GUEST_READ_ONLY },
		{ "packages", o->packages, "raw", GUEST_READ_ONLY },
		{ "target", w->target, "qcow2", GUEST_READ_WRITE },
		{ "out", w->out, "raw", GUEST_READ_WRITE },
	};
	const struct guest_options options = {
		.host = o->host,
		.kernel = o->kernel,
		.cache = o->cache,
		.tmp = w->scratch.path,
		.disks = disks,
		.disk_count = ARRAY_SIZE(disks),
		.memory_mib = WORKSHOP_MEMORY_MIB,
		.cpus = WORKSHOP_CPUS,
	};

	return guest_start(&options, &w->guest, err);
}

static int mount_places(struct guest *g, bool empty, struct error *err)
{
	int r = empty ? guest_format_ext4(g, TARGET, err) : 0;

	if (r == 0)
		r = guest_mount(g, BUILDER, "/", true, err);
	return r < 0 ? r : guest_run(g, mount_all, err);
}

/*
 * The kernel hands programs of the other machine to the emulator in the builder root. F: it is opened now, for in
 * the tree, where they run, there is none. The kernel reads the escapes itself; binfmt_misc is mounted where it
 * is only seen from here. The mask leaves the ABI open, and lets ET_DYN pass for ET_EXEC.
 */
static int register_emulator(struct guest *g, const struct architecture *arch, struct error *err)
{
	CLEANUP_FREE char *script = string_printf(
		"mkdir /run/binfmt\n"
		"mount -t binfmt_misc binfmt_misc /run/binfmt\n"
		"printf '%%s\\n' ':%s:M::\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\x%02x\\x00"
		":\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:/%s:F'"
		" >/run/binfmt/register\n",
		arch->name, arch->elf_machine, arch->emulator);
	int r = guest_run(g, script, err);

	return r < 0 ? error_wrap(err, "emulating %s", arch->name) : 0;
}

int workshop_open(const struct workshop_options *options, struct workshop **ret, struct error *err)
{
	CLEANUP_WORKSHOP struct workshop *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		error_no_memory();
	w->scratch = (struct scratch)SCRATCH_INIT;
	r = make_disks(w, options, err);
	if (r == 0)
		r = start(w, options, err);
	if (r == 0)
		r = mount_places(w->guest, !options->layer, err);
	if (r == 0 && options->emulated)
		r = register_emulator(w->guest, options->emulated, err);
	if (r == 0)
		*ret = TAKE_PTR(w);
	return r;
}

void workshop_free(struct workshop *w)
{
	if (!w)
		return;
	guest_free(w->guest);
	io_scratch_free(&w->scratch);
	free(w->target);
	free(w->out);
	free(w);
}

void workshop_freep(struct workshop **w)
{
	workshop_free(*w);
}

struct guest *workshop_guest(struct workshop *w)
{
	return w->guest;
}

/*
 * Unmounting writes the file system out, and the flush that ends it makes QEMU write the qcow2's own
 * tables: from then on the disk's file is a whole image, until something is written again.
 */
int workshop_save_layer(struct workshop *w, const char *path, struct error *err)
{
	int r = guest_run(w->guest, unmount_tree, err);

	if (r == 0)
		r = guest_sync(w->guest, err);
	if (r == 0)
		r = io_copy_file(w->target, path, 0644, err);
	return r < 0 ? r : guest_run(w->guest, MOUNT_TREE, err);
}

int workshop_take_out(struct workshop *w, uint64_t size, const char *path, struct error *err)
{
	CLEANUP_CLOSE int from = -1, to = -1;
	int r = guest_sync(w->guest, err);

	if (r < 0)
		return r;
	from = open(w->out, O_RDONLY | O_CLOEXEC);
	if (from < 0)
		return error_system(err, errno, "%s", w->out);
	to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (to < 0)
		return error_system(err, errno, "%s", path);
	r = io_copy_range(from, 0, to, 0, size, WORKSHOP_OUT, err);
	if (r < 0)
		(void)unlink(path);	/* the copy's failure is what counts */
	return r;
}
