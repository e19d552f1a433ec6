/* SPDX-License-Identifier: Apache-2.0 */
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/host.h"
#include "../factory/base/io.h"
#include "../factory/model/plan.h"
#include "../rootfs/guest.h"
#include "../rootfs/packages/deb_bundle.h"
#include "../rootfs/packages/packages.h"
#include "registry.h"

/*
 * The builder root: the locked tools on a disk of their own, unpacked and never "installed", so that
 * nothing of the packages runs before there is a root for it to run in. What maintainer scripts would
 * have done and the tools do need is done here by name.
 */

#define DISK_SIZE (UINT64_C(4) << 30)
#define MEMORY_MIB 1024
#define CPUS 2

/* Nobody reads manuals in there; a third of all files goes with them. */
static const char *const skipped[] = {
	"usr/share/doc/", "usr/share/man/", "usr/share/info/", "usr/share/locale/", "usr/share/lintian/", NULL,
};

static const char finish[] =
	"mkdir -p /target /scratch /proc /sys /dev /run /tmp\n"
	"chmod 1777 /tmp\n"
	"cp /usr/share/base-passwd/passwd.master /etc/passwd\n"
	"cp /usr/share/base-passwd/group.master /etc/group\n"
	"ln -sf mawk /usr/bin/awk\n"
	/* A hole in the set is found here and not an hour later. */
	"for tool in mmdebstrap apt-get dpkg perl mkfs.erofs fsck.erofs mkfs.fat mcopy kmod useradd awk xz"
	" x86_64-linux-gnu-gcc-14; do command -v $tool; done\n";

static int fill(struct guest *g, const char *archive, struct error *err)
{
	int r = guest_format_ext4(g, GUEST_DISK("builder"), err);

	if (r == 0)
		r = guest_mount(g, GUEST_DISK("builder"), "/", false, err);
	if (r == 0)
		r = guest_untar(g, archive, "/", err);
	if (r == 0)
		r = guest_run(g, finish, err);
	if (r == 0)
		r = guest_sync(g, err);
	return r;
}

static int run_appliance(const struct guest_options *options, const char *archive, struct error *err)
{
	CLEANUP_GUEST struct guest *g = NULL;
	int r = guest_start(options, &g, err);

	if (r == 0)
		r = fill(g, archive, err);
	if (r == 0)
		r = guest_stop(g, err);
	return r;
}

static int make_disk(const struct stage_context *ctx, const char *archive, const char *tmp,
		     struct error *err)
{
	CLEANUP_FREE char *disk = path_join(ctx->output, "builder.qcow2");
	CLEANUP_FREE char *image = NULL, *modules = NULL, *version = NULL;
	struct host host;
	int r;

	r = host_probe(&host, err);
	if (r == 0)
		r = packages_appliance_kernel(ctx->store, ctx->plan->lock, ctx->cache, &image, &modules,
					      &version, err);
	if (r == 0)
		r = guest_create_disk(disk, DISK_SIZE, err);
	if (r < 0)
		return r;

	const struct guest_kernel kernel = { .image = image, .modules = modules, .version = version };
	const struct guest_disk disks[] = { { "builder", disk, "qcow2", GUEST_READ_WRITE } };

	return run_appliance(&(struct guest_options) {
		.host = &host, .kernel = &kernel, .cache = ctx->cache, .tmp = tmp,
		.disks = disks, .disk_count = ARRAY_SIZE(disks), .memory_mib = MEMORY_MIB, .cpus = CPUS,
	}, archive, err);
}

static int builder_run(const struct stage_context *ctx, struct error *err)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_FREE char *tmp = path_join(ctx->cache, "tmp"), *archive = NULL;
	int r = io_mkdirs(tmp, 0755, err);

	if (r == 0)
		r = io_scratch_new(tmp, &scratch, err);
	if (r < 0)
		return r;
	archive = path_join(scratch.path, "builder.tar");
	r = deb_bundle(ctx->store, &ctx->plan->lock->sets[LOCK_BUILDER], "base-files", skipped, archive,
		       err);
	return r < 0 ? r : make_disk(ctx, archive, scratch.path, err);
}

static int builder_key(const struct plan *plan, struct digester *key, struct error *err)
{
	char digest[65];

	(void)err;
	lock_set_digest(plan->lock, LOCK_BUILDER, digest);
	stage_key_string(key, "packages", digest);
	stage_key_string(key, "finish", finish);
	for (const char *const *prefix = skipped; *prefix; prefix++)
		stage_key_string(key, "skipped", *prefix);
	return 0;
}

const struct stage stage_builder = {
	.name = "builder",
	.title = "unpacking the builder root",
	.version = "1",
	.room = ROOM_BOOTSTRAP,
	.outputs = { "builder.qcow2" },
	.key = builder_key,
	.run = builder_run,
};
