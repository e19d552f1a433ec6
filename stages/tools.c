/* SPDX-License-Identifier: Apache-2.0 */
#include "../factory/base/cleanup.h"
#include "../factory/base/io.h"
#include "../factory/model/plan.h"
#include "../rootfs/packages/deb_tree.h"
#include "../rootfs/toolbox.h"
#include "registry.h"

/* The locked tools as a tree on this machine, for toolbox_run(). No script of a package runs. */

static const char *const wanted[] = { "usr/bin/", "usr/sbin/", "usr/lib/", "usr/lib64/", "usr/libexec/", NULL };

/* What no tool that runs here reads: a third of the whole. */
static const char *const skipped[] = { "usr/lib/systemd/", "usr/lib/python3", "usr/lib/udev/", NULL };

static int tools_run(const struct stage_context *ctx, struct error *err)
{
	CLEANUP_FREE char *tree = path_join(ctx->output, TOOLBOX_TREE);

	return deb_tree(ctx->store, &ctx->plan->lock->sets[LOCK_BUILDER], wanted, skipped, tree, err);
}

static int tools_key(const struct plan *plan, struct stage_key *key, struct error *err)
{
	(void)err;
	stage_key_packages(key, "packages", plan->lock, LOCK_BUILDER);
	for (const char *const *prefix = wanted; *prefix; prefix++)
		stage_key_string(key, "wanted", *prefix);
	for (const char *const *prefix = skipped; *prefix; prefix++)
		stage_key_string(key, "skipped", *prefix);
	return 0;
}

const struct stage stage_tools = {
	.name = "tools",
	.title = "unpacking the tools",
	.version = "1",
	.room = ROOM_FACTORY,
	.outputs = { TOOLBOX_TREE },
	.key = tools_key,
	.run = tools_run,
};
