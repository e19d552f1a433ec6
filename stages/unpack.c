/* SPDX-License-Identifier: Apache-2.0 */
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/model/memory.h"
#include "../factory/model/plan.h"
#include "../rootfs/packages/deb_install.h"
#include "../rootfs/toolbox.h"
#include "../rootfs/tree.h"
#include "../rootfs/workshop.h"
#include "registry.h"

/*
 * The image's packages unpacked, all at once and before any script of theirs runs: as a tar archive for
 * what comes after the appliance, and as an EROFS image for the appliance itself.
 */

static int make_image(const struct stage_context *ctx, const char *archive, struct error *err)
{
	CLEANUP_FREE char *image = path_join(ctx->output, "packages.erofs");
	const char *const argv[] = { "mkfs.erofs", "--quiet", WORKSHOP_NO_UUID, "--tar=f", image, archive, NULL };
	const char *const readable[] = { archive, NULL }, *const writable[] = { ctx->output, NULL };

	return toolbox_run(&(struct toolbox_command) {
		.tree = artifacts_path(ctx->artifacts, TOOLBOX_TREE), .argv = argv, .readable = readable,
		.writable = writable, .epoch = ctx->plan->epoch,
	}, err);
}

/* dpkg's path-exclude: its database still names the files, no script of a package misses them. */
static const char **excluded_paths(const struct description *d)
{
	const char **ret = memory_new((d->excluded_path_count + 1) * sizeof(*ret));

	for (size_t i = 0; i < d->excluded_path_count; i++)
		ret[i] = d->excluded_paths[i] + 1;	/* the tree's paths have no "/" before them */
	return ret;
}

static int unpack_run(const struct stage_context *ctx, struct error *err)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_FREE char *bulk = NULL;
	CLEANUP_FREE char *archive = path_join(ctx->output, "packages.tar");
	CLEANUP_FREE const char **excluded = excluded_paths(ctx->plan->description);
	CLEANUP_TREE struct tree *tree = NULL;
	int r = stage_scratch(ctx, &scratch, err);

	if (r < 0)
		return r;
	bulk = path_join(scratch.path, "bulk.tar");
	r = deb_install(ctx->store, &ctx->plan->lock->sets[LOCK_IMAGE], bulk, err);
	if (r == 0)
		r = tree_open(bulk, &tree, err);
	if (r == 0)
		r = tree_write(tree, archive, ctx->plan->epoch, excluded, err);
	return r < 0 ? r : make_image(ctx, archive, err);
}

static int unpack_key(const struct plan *plan, struct stage_key *key, struct error *err)
{
	const struct description *d = plan->description;

	(void)err;
	for (size_t i = 0; i < d->excluded_path_count; i++)
		stage_key_string(key, "path-exclude", d->excluded_paths[i]);
	stage_key_packages(key, "packages", plan->lock, LOCK_IMAGE);
	stage_key_number(key, "epoch", (uint64_t)plan->epoch);
	return 0;
}

const struct stage stage_unpack = {
	.name = "unpack",
	.title = "unpacking packages",
	.version = "4",
	.room = ROOM_FACTORY,
	.inputs = { TOOLBOX_TREE },
	.outputs = { "packages.tar", "packages.erofs" },
	.key = unpack_key,
	.run = unpack_run,
};
