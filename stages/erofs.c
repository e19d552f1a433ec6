/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/digest.h"
#include "../factory/base/error.h"
#include "../factory/base/hex.h"
#include "../factory/base/io.h"
#include "../factory/model/plan.h"
#include "../rootfs/shell.h"
#include "../rootfs/workshop.h"
#include "registry.h"

/*
 * The root file system. mkfs.erofs is given a sorted tar and never the tree: the order in which a file
 * system lists names and extended attributes must not reach the image.
 */

#define SCRIPT_MAX 16384
#define EROFS_BLOCK 4096

static const char make_image[] =
	"cd /target/root\n"
	/* The kernel is in the unified kernel image; what is below the others does not outlive a boot. */
	"tar --create --file=/scratch/root.tar --sort=name --format=posix --numeric-owner --mtime=\"@$epoch\""
	" --pax-option='exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime'"
	" --xattrs --xattrs-include='security.capability' --xattrs-include='user.*'"
	" --exclude='./boot/*' --exclude='./vmlinuz' --exclude='./vmlinuz.old' --exclude='./initrd.img'"
	" --exclude='./initrd.img.old' --exclude='./dev/*' --exclude='./proc/*' --exclude='./sys/*'"
	" --exclude='./run/*' --exclude='./tmp/*' .\n"
	"echo 'kiln-progress 1 4 steps' >/dev/console\n"
	"mkfs.erofs --quiet -z\"$compression\" -T\"$epoch\" --all-time -U\"$uuid\" --tar=f /scratch/root.erofs"
	" /scratch/root.tar\n"
	"rm /scratch/root.tar\n"
	"echo 'kiln-progress 2 4 steps' >/dev/console\n"
	/* --extract without a path decompresses everything, and writes nothing. */
	"fsck.erofs --extract /scratch/root.erofs\n"
	"echo 'kiln-progress 3 4 steps' >/dev/console\n"
	"cat /scratch/root.erofs >" WORKSHOP_OUT "\n";

/* "SHA256  -" and the size: the image is compared once it has arrived. */
static const char measure[] =
	"sha256sum </scratch/root.erofs\n"
	"stat --format=%s /scratch/root.erofs\n"
	"rm /scratch/root.erofs\n";

static int write_script(const struct plan *plan, struct buf *ret, struct error *err)
{
	/* Said as text, as mkfs.erofs and blkid read it: not with a GUID's swapped fields. */
	char uuid[GUID_TEXT_SIZE], hex[33];
	uint8_t bytes[16];
	int r;

	plan_uuid(plan, "erofs", bytes);
	hex_encode(bytes, sizeof(bytes), hex);
	(void)snprintf(uuid, sizeof(uuid), "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
		       hex + 20);
	r = buf_printf(ret, "epoch=%" PRId64 "\nuuid=%s\n", plan->epoch, uuid);
	if (r == 0)
		r = shell_assign(ret, "compression", plan->description->compression);
	if (r == 0)
		r = buf_add_string(ret, make_image);
	return r < 0 ? error_system(err, r, "mkfs.erofs") : 0;
}

struct image {
	uint64_t size;
	char sha256[2 * DIGEST_MAX + 1];
};

static int measure_image(struct guest *g, struct image *ret, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(256);
	const size_t digits = 2 * digest_size(DIGEST_SHA256);
	const char *line;
	char *end;
	int r = guest_run_output(g, measure, &text, err);

	if (r < 0)
		return r;
	line = strchr(buf_text(&text), '\n');
	if (text.len < digits || !line)
		return error_outside(err, "sha256sum answered \"%s\"", buf_text(&text));
	errno = 0;
	ret->size = strtoull(line + 1, &end, 10);
	if (errno != 0 || *end != '\n' || ret->size == 0 || ret->size % EROFS_BLOCK != 0)
		return error_outside(err, "mkfs.erofs made an image of %s bytes, not a number of blocks",
				     line + 1);
	memcpy(ret->sha256, buf_text(&text), digits);
	ret->sha256[digits] = '\0';
	return 0;
}

static int take_image(const struct stage_context *ctx, const struct image *image, struct error *err)
{
	CLEANUP_FREE char *path = path_join(ctx->output, "root.erofs");
	char hex[2 * DIGEST_MAX + 1];
	struct digest digest;
	int r = workshop_take_out(ctx->workshop, image->size, path, err);

	if (r == 0)
		r = digest_file(DIGEST_SHA256, path, &digest, NULL, err);
	if (r < 0)
		return r;
	digest_hex(&digest, hex);
	if (strcmp(hex, image->sha256) != 0)
		return error_outside(err, "%s: not the image that the appliance made: its SHA-256 is %s there and %s here",
				     path, image->sha256, hex);
	return 0;
}

static int erofs_run(const struct stage_context *ctx, struct error *err)
{
	CLEANUP_BUF struct buf script = BUF_INIT(SCRIPT_MAX);
	struct guest *g = workshop_guest(ctx->workshop);
	struct image image = { 0 };
	int r = write_script(ctx->plan, &script, err);

	if (r == 0)
		r = guest_run(g, buf_text(&script), err);
	if (r == 0)
		r = measure_image(g, &image, err);
	return r < 0 ? r : take_image(ctx, &image, err);
}

static int erofs_key(const struct plan *plan, struct stage_key *key, struct error *err)
{
	CLEANUP_BUF struct buf script = BUF_INIT(SCRIPT_MAX);
	int r = write_script(plan, &script, err);

	if (r == 0)
		stage_key_string(key, "script", buf_text(&script));
	return r;
}

const struct stage stage_erofs = {
	.name = "erofs",
	.title = "making the EROFS image",
	.version = "1",
	.room = ROOM_APPLIANCE,
	.outputs = { "root.erofs" },
	.layer = "config.qcow2",
	.key = erofs_key,
	.run = erofs_run,
};
