/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/model/plan.h"
#include "../rootfs/packages/deb_bundle.h"
#include "../rootfs/packages/deb_choice.h"
#include "../rootfs/packages/packages.h"
#include "../rootfs/toolbox.h"
#include "../rootfs/workshop.h"
#include "registry.h"

/*
 * The builder root: the appliance's own read-only system, the locked tools unpacked and never
 * "installed". What maintainer scripts would have done and the tools do need is added by name.
 */

/* Beside the essential packages: what starts the appliance and tends the tree in it. */
static const char *const packages[] = { "e2fsprogs", "kmod", "mount", "passwd", NULL };

static const struct deb_choice choice = { .names = packages, .essential = true };

/* Nobody reads manuals in there. */
static const char *const skipped[] = {
	"usr/share/doc/", "usr/share/man/", "usr/share/info/", "usr/share/locale/", "usr/share/lintian/",
	NULL,
};

/* The places of workshop.h, and the least of a system. */
static const struct deb_bundle_extra fixed_extras[] = {
	{ "target", S_IFDIR | 0755, NULL, 0 },
	{ "scratch", S_IFDIR | 0755, NULL, 0 },
	{ "proc", S_IFDIR | 0555, NULL, 0 },
	{ "sys", S_IFDIR | 0555, NULL, 0 },
	{ "dev", S_IFDIR | 0755, NULL, 0 },
	{ "run", S_IFDIR | 0755, NULL, 0 },
	{ "tmp", S_IFDIR | 01777, NULL, 0 },
	{ "etc/passwd", S_IFREG | 0644,
	  "root:x:0:0:root:/root:/bin/sh\n"
	  "_apt:x:42:65534::/nonexistent:/usr/sbin/nologin\n"
	  "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n", 0 },
	{ "etc/group", S_IFREG | 0644, "root:x:0:\nadm:x:4:\ntty:x:5:\nshadow:x:42:\nnogroup:x:65534:\n", 0 },
	{ "usr/bin/awk", S_IFLNK | 0777, "mawk", 0 },
	{ .path = NULL },
};

#define EXTRAS_MAX (ARRAY_SIZE(fixed_extras) + 1)

static bool crosses(const struct plan *plan)
{
	return plan->arch != plan->tools;
}

/* What runs the programs of an image for another machine: one of a package that has many, and is large. */
static int take_emulator(const struct stage_context *ctx, const char *scratch, struct io_map *ret, struct error *err)
{
	const char *name = ctx->plan->arch->emulator;
	const struct locked_package *package = lock_find(ctx->plan->lock, LOCK_BUILDER, "qemu-user");
	CLEANUP_FREE char *path = path_join(scratch, name);
	int r;

	if (!package)
		return error_input(err, "the lock's builder set has no qemu-user, which runs the scripts of packages for %s: run \"kiln fetch\" again",
				   ctx->plan->arch->name);
	r = deb_extract(ctx->store, package, name, scratch, err);
	return r < 0 ? r : io_map_file(path, ret, err);
}

static int make_image(const struct stage_context *ctx, const char *archive, const char *tmp,
		      struct error *err)
{
	CLEANUP_FREE char *image = path_join(ctx->output, "builder.erofs");
	const char *const argv[] = { "mkfs.erofs", "--quiet", "-T0", WORKSHOP_NO_UUID, "--tar=f", image, archive, NULL };
	const char *const readable[] = { archive, NULL }, *const writable[] = { tmp, ctx->output, NULL };

	return toolbox_run(&(struct toolbox_command) {
		.tree = artifacts_path(ctx->artifacts, TOOLBOX_TREE), .argv = argv,
		.readable = readable, .writable = writable, .epoch = -1,
	}, err);
}

static void list_extras(const struct plan *plan, const struct io_map *emulator,
			struct deb_bundle_extra ret[static EXTRAS_MAX])
{
	size_t count = ARRAY_SIZE(fixed_extras) - 1;

	memcpy(ret, fixed_extras, sizeof(fixed_extras));
	if (!crosses(plan))
		return;
	ret[count++] = (struct deb_bundle_extra) {
		.path = plan->arch->emulator, .mode = S_IFREG | 0755, .content = (const char *)emulator->data,
		.size = emulator->size,
	};
	ret[count] = (struct deb_bundle_extra) { .path = NULL };
}

static int builder_run(const struct stage_context *ctx, struct error *err)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_FREE char *archive = NULL;
	CLEANUP_IO_MAP struct io_map emulator = { 0 };
	CLEANUP_DEB_CHOICE struct lock_set set = { .packages = NULL };
	struct deb_bundle_extra extras[EXTRAS_MAX];
	int r = stage_scratch(ctx, &scratch, err);

	if (r == 0 && crosses(ctx->plan))
		r = take_emulator(ctx, scratch.path, &emulator, err);
	if (r == 0)
		r = deb_choose(ctx->store, &ctx->plan->lock->sets[LOCK_BUILDER], &choice, &set, err);
	if (r < 0)
		return r;
	list_extras(ctx->plan, &emulator, extras);
	archive = path_join(scratch.path, "builder.tar");
	r = deb_bundle(ctx->store, &set, "base-files", skipped, extras, archive, err);
	return r < 0 ? r : make_image(ctx, archive, scratch.path, err);
}

static int builder_key(const struct plan *plan, struct stage_key *key, struct error *err)
{
	(void)err;
	stage_key_packages(key, "packages", plan->lock, LOCK_BUILDER);
	for (const char *const *name = packages; *name; name++)
		stage_key_string(key, "chosen", *name);
	for (const char *const *prefix = skipped; *prefix; prefix++)
		stage_key_string(key, "skipped", *prefix);
	for (const struct deb_bundle_extra *e = fixed_extras; e->path; e++) {
		stage_key_string(key, e->path, e->content);
		stage_key_number(key, "mode", e->mode);
	}
	if (crosses(plan))
		stage_key_string(key, "emulator", plan->arch->emulator);
	return 0;
}

const struct stage stage_builder = {
	.name = "builder",
	.title = "making the appliance's root",
	.version = "4",
	.room = ROOM_FACTORY,
	.inputs = { TOOLBOX_TREE },
	.outputs = { "builder.erofs" },
	.key = builder_key,
	.run = builder_run,
};
