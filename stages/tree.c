/* SPDX-License-Identifier: Apache-2.0 */
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/model/plan.h"
#include "../rootfs/tree.h"
#include "registry.h"

/* The image's whole tree: the packages as they were unpacked, and over them what has changed since. */

static int tree_run(const struct stage_context *ctx, struct error *err)
{
	CLEANUP_FREE char *output = path_join(ctx->output, "root.tar");
	CLEANUP_TREE struct tree *tree = NULL;
	int r = tree_merge(artifacts_path(ctx->artifacts, "packages.tar"),
			   artifacts_path(ctx->artifacts, "changes.tar"), &tree, err);

	return r < 0 ? r : tree_write(tree, output, ctx->plan->epoch, NULL, err);
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
	.version = "3",
	.room = ROOM_FACTORY,
	.inputs = { "packages.tar", "changes.tar" },
	.outputs = { "root.tar" },
	.key = tree_key,
	.run = tree_run,
};
