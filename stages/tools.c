/* SPDX-License-Identifier: Apache-2.0 */
#include "../factory/base/cleanup.h"
#include "../factory/base/io.h"
#include "../factory/model/plan.h"
#include "../rootfs/packages/deb_choice.h"
#include "../rootfs/packages/deb_tree.h"
#include "../rootfs/toolbox.h"
#include "registry.h"

/* The locked tools as a tree on this machine, for toolbox_run(). No script of a package runs. */

/* What runs here, beside the compiler. */
static const char *const packages[] = { "dosfstools", "erofs-utils", "mtools", "zstd" };

#define CHOSEN_MAX (ARRAY_SIZE(packages) + 4)

/* Libraries of gcc's that only programs for other languages or under a sanitizer are linked with. */
static const char *const without[] = {
	"libasan", "libatomic", "libgomp", "libhwasan", "libitm", "liblsan", "libquadmath", "libtsan", "libubsan",
	NULL,
};

static const char *const wanted[] = { "usr/bin/", "usr/sbin/", "usr/lib/", "usr/lib64/", "usr/libexec/", NULL };
static const char *const skipped[] = { "usr/lib/systemd/", "usr/lib/udev/", NULL };

/* cc1, as and ld for the image's machine; gcc's own part of every program is among the tools where they are for it,
 * and with the image's other libraries where not. NULL-terminated. */
static void choose(const struct plan *plan, const char *ret[static CHOSEN_MAX])
{
	size_t count = 0;

	ret[count++] = plan->arch->binutils;
	ret[count++] = plan->arch->compiler;
	if (plan->arch == plan->tools)
		ret[count++] = "libgcc-14-dev";
	for (size_t i = 0; i < ARRAY_SIZE(packages); i++)
		ret[count++] = packages[i];
	ret[count] = NULL;
}

static int tools_run(const struct stage_context *ctx, struct error *err)
{
	CLEANUP_FREE char *tree = path_join(ctx->output, TOOLBOX_TREE);
	CLEANUP_DEB_CHOICE struct lock_set set = { .packages = NULL };
	const char *chosen[CHOSEN_MAX];
	const struct deb_choice choice = { .names = chosen, .without = without };
	int r;

	choose(ctx->plan, chosen);
	r = deb_choose(ctx->store, &ctx->plan->lock->sets[LOCK_BUILDER], &choice, &set, err);
	return r < 0 ? r : deb_tree(ctx->store, &set, wanted, skipped, tree, err);
}

static void key_list(struct stage_key *key, const char *label, const char *const *list)
{
	for (; *list; list++)
		stage_key_string(key, label, *list);
}

static int tools_key(const struct plan *plan, struct stage_key *key, struct error *err)
{
	const char *chosen[CHOSEN_MAX];

	(void)err;
	choose(plan, chosen);
	stage_key_packages(key, "packages", plan->lock, LOCK_BUILDER);
	key_list(key, "chosen", chosen);
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
