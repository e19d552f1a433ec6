/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/hex.h"
#include "../factory/base/io.h"
#include "../factory/model/plan.h"
#include "../rootfs/guest.h"
#include "../rootfs/workshop.h"
#include "registry.h"

/*
 * The root file system. The tree goes through a tar whose order, owners, times and extended attributes
 * are fixed here, since mkfs.erofs before 1.9.3 stores attributes in the order in which the file system
 * happens to list them; then into the builder root's mkfs.erofs with a fixed UUID.
 */

/* The kernel is in the UKI: a second one in the root would be measured and never used. */
#define LEFT_OUT \
	"--exclude='./boot/*' --exclude=./vmlinuz --exclude=./vmlinuz.old " \
	"--exclude=./initrd.img --exclude=./initrd.img.old --exclude=./lost+found"

/* How many workers cut and compress the data shows in the bytes: never the machine's own number. */
#define WORKERS 2

#define MIB ((uint64_t)1024 * 1024)

static char *uuid_text(const struct plan *plan)
{
	uint8_t uuid[16], guid[16];
	char text[GUID_TEXT_SIZE];

	plan_uuid(plan, "erofs", uuid);
	guid_from_uuid(uuid, guid);
	guid_format(guid, text);
	return string_copy(text);
}

static char *make_script(const struct plan *plan)
{
	CLEANUP_FREE char *uuid = uuid_text(plan);
	const char *compression = plan->description->compression;

	return string_printf(
		"set -eu\n"
		"rm -f /work/root.tar /work/root.erofs\n"
		"tar --create --file=/work/root.tar --directory=/target/root --sort=name --format=posix \\\n"
		"    --pax-option=delete=atime,delete=ctime --mtime=@%" PRId64 " --numeric-owner \\\n"
		"    --xattrs --xattrs-include=security.capability " LEFT_OUT " .\n"
		"mkfs.erofs --quiet --tar=f -T %" PRId64 " -U %s --workers=%d %s%s /work/root.erofs /work/root.tar\n"
		"rm /work/root.tar\n"
		"dd if=/work/root.erofs of=" WORKSHOP_OUT " bs=4M conv=fsync status=none\n",
		plan->epoch, plan->epoch, uuid, WORKERS, compression[0] ? "-z" : "", compression);
}

static int output_size(struct guest *guest, uint64_t *ret, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(64);
	char *end;
	int r = guest_run_output(guest, "stat -c %s /work/root.erofs", &text, err);

	if (r < 0)
		return r;
	errno = 0;
	*ret = strtoull(buf_text(&text), &end, 10);
	if (errno || *end != '\n' || *ret == 0)
		return error_outside(err, "mkfs.erofs left a file of \"%s\" bytes", buf_text(&text));
	return 0;
}

/* overlayroot_readonly_partsize: what the description lets the root grow to. */
static int check_size(const struct plan *plan, uint64_t size, struct error *err)
{
	unsigned int most = plan->description->root_max_mib;
	uint64_t mib = (size + MIB - 1) / MIB;

	if (most && mib > most)
		return error_input(err, "the root file system has %" PRIu64 " MiB, and overlayroot_readonly_partsize=\"%u\" allows no more than that",
				   mib, most);
	return 0;
}

static int erofs_run(const struct stage_context *ctx, struct error *err)
{
	struct guest *guest = workshop_guest(ctx->workshop);
	CLEANUP_FREE char *path = path_join(ctx->output, "root.erofs");
	CLEANUP_FREE char *script = make_script(ctx->plan);
	uint64_t size = 0;
	int r;

	r = guest_run(guest, script, err);
	if (r == 0)
		r = output_size(guest, &size, err);
	if (r == 0)
		r = check_size(ctx->plan, size, err);
	if (r == 0)
		r = workshop_take_out(ctx->workshop, size, path, err);
	if (r == 0)
		r = guest_run(guest, "rm /work/root.erofs", err);
	return r;
}

static int erofs_key(const struct plan *plan, struct digester *key, struct error *err)
{
	CLEANUP_FREE char *script = make_script(plan);

	(void)err;
	stage_key_string(key, "script", script);
	stage_key_number(key, "limit", plan->description->root_max_mib);
	return 0;
}

const struct stage stage_erofs = {
	.name = "erofs",
	.title = "making the EROFS root",
	.version = "1",
	.room = ROOM_APPLIANCE,
	.layer = "config.qcow2",
	.inputs = { "config.qcow2" },
	.outputs = { "root.erofs" },
	.key = erofs_key,
	.run = erofs_run,
};
