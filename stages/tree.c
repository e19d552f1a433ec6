/* SPDX-License-Identifier: Apache-2.0 */
#include "../factory/base/cleanup.h"
#include "../factory/base/io.h"
#include "../factory/model/plan.h"
#include "../rootfs/filetree.h"
#include "registry.h"

/* The image's whole tree: the packages as they were unpacked, and over them what has changed since. */

static int tree_run(const struct stage_context *ctx, struct error *err)
{
	CLEANUP_FREE char *output = path_join(ctx->output, "root.tar");

	return filetree_merge(&(struct filetree_merge) {
		.lower = artifacts_path(ctx->artifacts, "packages.tar"),
		.upper = artifacts_path(ctx->artifacts, "changes.tar"),
		.epoch = ctx->plan->epoch,
		.output = output,
	}, err);
}

static int tree_key(const struct plan *plan, struct stage_key *key, struct error *err)
{
	(void)err;
	stage_key_number(key, "epoch", (uint64_t)plan->epoch);
	return 0;
}

const struct stage stage_tree = {
	.name = "tree",
	.title = "putting the tree together",
	.version = "1",
	.room = ROOM_FACTORY,
	.inputs = { "packages.tar", "changes.tar" },
	.outputs = { "root.tar" },
	.key = tree_key,
	.run = tree_run,
};
