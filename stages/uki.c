/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/format/uki.h"
#include "../factory/model/plan.h"
#include "../rootfs/packages/packages.h"
#include "registry.h"
#include "verity.h"

/* The unified kernel image: the target's own systemd-stub with kernel, initrd and command line. */

#define UKI_MAX (UINT64_C(1) << 30)
#define TEXT_MAX (64 * 1024)

/* The package of the boot set that holds the stub; the set may hold others it came with. */
static int find_stub(const struct stage_context *ctx, const char *scratch, char **ret, struct error *err)
{
	const struct lock_set *boot = &ctx->plan->lock->sets[LOCK_BOOT];
	CLEANUP_FREE char *path = path_join(scratch, ctx->plan->arch->stub_path);
	int r;

	for (size_t i = 0; i < boot->count; i++) {
		r = deb_extract(ctx->store, &boot->packages[i], ctx->plan->arch->stub_path, scratch, err);
		if (r < 0)
			return r;
		if (io_exists(path)) {
			*ret = TAKE_PTR(path);
			return 0;
		}
	}
	return error_input(err, "no package of the lock's boot set holds %s", ctx->plan->arch->stub_path);
}

static int read_line(const char *path, struct buf *ret, struct error *err)
{
	int r = io_read_file(path, TEXT_MAX, ret, err);

	if (r < 0)
		return r;
	while (ret->len > 0 && ret->data[ret->len - 1] == '\n')
		buf_truncate(ret, ret->len - 1);
	return 0;
}

static char *command_line(const struct plan *plan, const char *root_hash)
{
	const char *given = plan->description->cmdline;

	return string_printf("%s%sroothash=%s", given, given[0] ? " " : "", root_hash);
}

static struct uki_part text_part(const char *text)
{
	return (struct uki_part) { .data = (const uint8_t *)text, .size = strlen(text) };
}

static int write_uki(const struct stage_context *ctx, const char *stub_path, const char *cmdline,
		     struct error *err)
{
	CLEANUP_FREE char *path = path_join(ctx->output, "uki.efi");
	CLEANUP_IO_MAP struct io_map stub = { 0 }, kernel = { 0 }, initrd = { 0 }, osrel = { 0 };
	CLEANUP_BUF struct buf uname = BUF_INIT(TEXT_MAX), out = BUF_INIT(UKI_MAX);
	int r;

	r = io_map_file(stub_path, &stub, err);
	if (r == 0)
		r = io_map_file(artifacts_path(ctx->artifacts, "vmlinuz"), &kernel, err);
	if (r == 0)
		r = io_map_file(artifacts_path(ctx->artifacts, "initrd"), &initrd, err);
	if (r == 0)
		r = io_map_file(artifacts_path(ctx->artifacts, "os-release"), &osrel, err);
	if (r == 0)
		r = read_line(artifacts_path(ctx->artifacts, "kernel-version"), &uname, err);
	if (r < 0)
		return r;

	const struct uki_part parts[UKI_SECTIONS] = {
		[UKI_LINUX] = { kernel.data, kernel.size },
		[UKI_OSREL] = { osrel.data, osrel.size },
		[UKI_CMDLINE] = text_part(cmdline),
		[UKI_INITRD] = { initrd.data, initrd.size },
		[UKI_UNAME] = text_part(buf_text(&uname)),
	};

	r = uki_write(stub.data, stub.size, parts, &out, err);
	if (r < 0)
		return r;
	return io_write_file(path, out.data, out.len, 0644, err);
}

static int uki_run(const struct stage_context *ctx, struct error *err)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_FREE char *stub = NULL, *cmdline = NULL;
	char root_hash[ROOT_HASH_DIGITS + 1];
	int r;

	r = verity_root_hash(ctx->artifacts, root_hash, err);
	if (r < 0)
		return r;
	r = stage_scratch(ctx, &scratch, err);
	if (r < 0)
		return r;
	r = find_stub(ctx, scratch.path, &stub, err);
	if (r < 0)
		return r;
	cmdline = command_line(ctx->plan, root_hash);
	return write_uki(ctx, stub, cmdline, err);
}

static int uki_key(const struct plan *plan, struct stage_key *key, struct error *err)
{
	(void)err;
	stage_key_string(key, "cmdline", plan->description->cmdline);
	stage_key_string(key, "stub", plan->arch->stub_path);
	stage_key_packages(key, "packages", plan->lock, LOCK_BOOT);
	return 0;
}

const struct stage stage_uki = {
	.name = "uki",
	.title = "making the unified kernel image",
	.version = "1",
	.room = ROOM_FACTORY,
	.inputs = { "vmlinuz", "initrd", "os-release", "kernel-version", "root.hash" },
	.outputs = { "uki.efi" },
	.key = uki_key,
	.run = uki_run,
};
