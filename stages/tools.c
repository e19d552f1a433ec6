/* SPDX-License-Identifier: Apache-2.0 */
#include "../factory/base/cleanup.h"
#include "../factory/base/io.h"
#include "../factory/model/plan.h"
#include "../rootfs/packages/deb_choice.h"
#include "../rootfs/packages/deb_tree.h"
#include "../rootfs/toolbox.h"
#include "registry.h"

/* The locked tools as a tree on this machine, for toolbox_run(). No script of a package runs. */

/* What runs here: mkfs.erofs, cc1, as, ld, zstd, mkfs.fat, mcopy; and gcc's own part of every program. */
static const char *const packages[] = {
	"binutils-x86-64-linux-gnu", "cpp-14-x86-64-linux-gnu", "libgcc-14-dev", "dosfstools", "erofs-utils",
	"mtools", "zstd", NULL,
};

/* Libraries of gcc's that only programs for other languages or under a sanitizer are linked with. */
static const char *const without[] = {
	"libasan", "libatomic", "libgomp", "libhwasan", "libitm", "liblsan", "libquadmath", "libtsan", "libubsan",
	NULL,
};

static const struct deb_choice choice = { .names = packages, .without = without };

static const char *const wanted[] = { "usr/bin/", "usr/sbin/", "usr/lib/", "usr/lib64/", "usr/libexec/", NULL };
static const char *const skipped[] = { "usr/lib/systemd/", "usr/lib/udev/", NULL };

static int tools_run(const struct stage_context *ctx, struct error *err)
{
	CLEANUP_FREE char *tree = path_join(ctx->output, TOOLBOX_TREE);
	CLEANUP_DEB_CHOICE struct lock_set set = { .packages = NULL };
	int r = deb_choose(ctx->store, &ctx->plan->lock->sets[LOCK_BUILDER], &choice, &set, err);

	return r < 0 ? r : deb_tree(ctx->store, &set, wanted, skipped, tree, err);
}

static void key_list(struct stage_key *key, const char *label, const char *const *list)
{
	for (; *list; list++)
		stage_key_string(key, label, *list);
}

static int tools_key(const struct plan *plan, struct stage_key *key, struct error *err)
{
	(void)err;
	stage_key_packages(key, "packages", plan->lock, LOCK_BUILDER);
	key_list(key, "chosen", packages);
	key_list(key, "without", without);
	key_list(key, "wanted", wanted);
	key_list(key, "skipped", skipped);
	return 0;
}

const struct stage stage_tools = {
	.name = "tools",
	.title = "unpacking the tools",
	.version = "2",
	.room = ROOM_FACTORY,
	.outputs = { TOOLBOX_TREE },
	.key = tools_key,
	.run = tools_run,
};
