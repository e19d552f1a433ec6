/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/hex.h"
#include "../factory/base/io.h"
#include "../factory/model/plan.h"
#include "../rootfs/toolbox.h"
#include "../rootfs/tree.h"
#include "registry.h"

/*
 * The root file system. mkfs.erofs is given a sorted tar and never a tree: the order in which a file
 * system lists names and extended attributes must not reach the image.
 */

#define EROFS_BLOCK 4096
#define UUID_TEXT_SIZE 37

/* The kernel is in the unified kernel image; what is below the others does not outlive a boot. */
static const char *const excluded[] = {
	"boot/", "dev/", "proc/", "sys/", "run/", "tmp/", "vmlinuz", "vmlinuz.old", "initrd.img", "initrd.img.old",
	NULL,
};

/* As text, as mkfs.erofs and blkid read it: not with a GUID's swapped fields. */
static void uuid_text(const struct plan *plan, char ret[static UUID_TEXT_SIZE])
{
	uint8_t bytes[16];
	char hex[33];

	plan_uuid(plan, "erofs", bytes);
	hex_encode(bytes, sizeof(bytes), hex);
	(void)snprintf(ret, UUID_TEXT_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
		       hex + 20);
}

static int run_tool(const struct stage_context *ctx, const char *const *argv, const char *archive,
		    struct error *err)
{
	const char *const readable[] = { archive, NULL }, *const writable[] = { ctx->output, NULL };

	return toolbox_run(&(struct toolbox_command) {
		.tree = artifacts_path(ctx->artifacts, TOOLBOX_TREE), .argv = argv, .readable = readable,
		.writable = writable, .epoch = ctx->plan->epoch,
	}, err);
}

static int make_image(const struct stage_context *ctx, const char *archive, const char *image,
		      struct error *err)
{
	CLEANUP_FREE char *compression = string_printf("-z%s", ctx->plan->description->compression);
	CLEANUP_FREE char *time = string_printf("-T%" PRId64, ctx->plan->epoch), *id = NULL;
	char uuid[UUID_TEXT_SIZE];

	uuid_text(ctx->plan, uuid);
	id = string_printf("-U%s", uuid);

	/* As many workers as there are processors: they decide the time, and no byte. */
	const char *const argv[] = {
		"mkfs.erofs", "--quiet", time, "--all-time", id, "--tar=f", image, archive,
		/* Last, for there may be none. */
		ctx->plan->description->compression[0] ? compression : NULL, NULL,
	};

	return run_tool(ctx, argv, archive, err);
}

/* --extract without a path decompresses everything, and writes nothing. */
static int check_image(const struct stage_context *ctx, const char *image, struct error *err)
{
	const char *const argv[] = { "fsck.erofs", "--extract", image, NULL };
	struct stat st;

	if (stat(image, &st) < 0 || st.st_size == 0 || st.st_size % EROFS_BLOCK != 0)
		return error_outside(err, "mkfs.erofs made an image that is not a number of blocks");
	return run_tool(ctx, argv, NULL, err);
}

static int write_archive(const struct stage_context *ctx, const char *path, struct error *err)
{
	CLEANUP_TREE struct tree *tree = NULL;
	int r = tree_open(artifacts_path(ctx->artifacts, "root.tar"), &tree, err);

	return r < 0 ? r : tree_write(tree, path, ctx->plan->epoch, excluded, err);
}

static int erofs_run(const struct stage_context *ctx, struct error *err)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_FREE char *archive = NULL;
	CLEANUP_FREE char *image = path_join(ctx->output, "root.erofs");
	int r = stage_scratch(ctx, &scratch, err);

	if (r < 0)
		return r;
	archive = path_join(scratch.path, "root.tar");
	r = write_archive(ctx, archive, err);
	if (r == 0)
		r = make_image(ctx, archive, image, err);
	return r < 0 ? r : check_image(ctx, image, err);
}

static int erofs_key(const struct plan *plan, struct stage_key *key, struct error *err)
{
	char uuid[UUID_TEXT_SIZE];

	(void)err;
	uuid_text(plan, uuid);
	stage_key_string(key, "uuid", uuid);
	stage_key_string(key, "compression", plan->description->compression);
	stage_key_number(key, "epoch", (uint64_t)plan->epoch);
	for (const char *const *e = excluded; *e; e++)
		stage_key_string(key, "excluded", *e);
	return 0;
}

const struct stage stage_erofs = {
	.name = "erofs",
	.title = "making the EROFS image",
	.version = "3",
	.room = ROOM_FACTORY,
	.inputs = { TOOLBOX_TREE, "root.tar" },
	.outputs = { "root.erofs" },
	.key = erofs_key,
	.run = erofs_run,
};
