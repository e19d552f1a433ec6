/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "../factory/base/bytes.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/model/plan.h"
#include "../rootfs/guest.h"
#include "../rootfs/workshop.h"
#include "registry.h"

/*
 * The EFI system partition: FAT32 with the UKI under the removable-media name and nothing else
 * (UEFI Specification 3.5.1.1, 13.3). Volume id and times are fixed; mtools takes the latter from
 * SOURCE_DATE_EPOCH.
 */

#define MIB ((uint64_t)1024 * 1024)
/* FAT32 begins at 65525 clusters (Microsoft FAT specification 3.5): 32 MiB in clusters of 512 bytes, and
 * the tables. */
#define LEAST_MIB 36

static int uki_size(const char *path, uint64_t *ret, struct error *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return error_system(err, errno, "%s", path);
	*ret = (uint64_t)st.st_size;
	return 0;
}

/* Two tables of four bytes a cluster are 1/64 of the volume. */
static uint64_t least_mib(uint64_t file_size)
{
	uint64_t mib = (file_size + file_size / 32) / MIB + 2;

	return mib < LEAST_MIB ? LEAST_MIB : mib;
}

static int choose_size(const struct plan *plan, uint64_t file_size, uint64_t *ret_mib, struct error *err)
{
	unsigned int asked = plan->description->esp_mib;
	uint64_t least = least_mib(file_size);

	if (asked && asked < least)
		return error_input(err, "efipartsize=\"%u\" is too small: the kernel image needs %" PRIu64 " MiB; say so or leave it out",
				   asked, least);
	*ret_mib = asked ? asked : least;
	return 0;
}

static char *make_script(const struct plan *plan, uint64_t mib)
{
	uint8_t id[16];

	plan_uuid(plan, "esp-volume", id);
	return string_printf(
		"set -eu\n"
		"export SOURCE_DATE_EPOCH=%" PRId64 " MTOOLSRC=/dev/null\n"
		"rm -f /work/esp.img\n"
		"truncate -s %" PRIu64 "M /work/esp.img\n"
		"mkfs.fat --invariant -F 32 -s 1 -i %08" PRIx32 " -n ESP /work/esp.img >/dev/null\n"
		"mmd -i /work/esp.img ::/EFI ::/EFI/BOOT\n"
		"mcopy -i /work/esp.img /work/uki.efi ::/EFI/BOOT/%s\n"
		"dd if=/work/esp.img of=" WORKSHOP_OUT " bs=4M conv=fsync status=none\n"
		"rm /work/esp.img /work/uki.efi\n",
		plan->epoch, mib, read_le32(id), plan->efi_name);
}

static int esp_run(const struct stage_context *ctx, struct error *err)
{
	struct guest *guest = workshop_guest(ctx->workshop);
	const char *uki = artifacts_path(ctx->artifacts, "uki.efi");
	CLEANUP_FREE char *path = path_join(ctx->output, "esp.img");
	CLEANUP_FREE char *script = NULL;
	uint64_t size = 0, mib = 0;
	int r;

	r = uki_size(uki, &size, err);
	if (r == 0)
		r = choose_size(ctx->plan, size, &mib, err);
	if (r < 0)
		return r;
	script = make_script(ctx->plan, mib);
	r = guest_upload(guest, uki, "/work/uki.efi", err);
	if (r == 0)
		r = guest_run(guest, script, err);
	return r < 0 ? r : workshop_take_out(ctx->workshop, mib * MIB, path, err);
}

static int esp_key(const struct plan *plan, struct digester *key, struct error *err)
{
	CLEANUP_FREE char *script = make_script(plan, plan->description->esp_mib);

	(void)err;
	stage_key_string(key, "script", script);
	return 0;
}

const struct stage stage_esp = {
	.name = "esp",
	.title = "making the EFI system partition",
	.version = "1",
	.room = ROOM_APPLIANCE,
	.inputs = { "uki.efi" },
	.outputs = { "esp.img" },
	.key = esp_key,
	.run = esp_run,
};
