/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/bytes.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/model/plan.h"
#include "../rootfs/shell.h"
#include "../rootfs/workshop.h"
#include "registry.h"

/* The EFI system partition: FAT32 with the one file that the firmware starts. */

#define SCRIPT_MAX 8192
#define MIB UINT64_C(1048576)

/*
 * FAT32 needs 65525 clusters (Microsoft's FAT specification, 3.5); with clusters of one sector, as mkfs.fat
 * makes them up to 260 MiB, the smallest is a little above 32 MiB. Two tables of four bytes a cluster
 * take one 64th.
 */
#define ESP_MIN_MIB 36

static const char make_image[] =
	"export TZ=UTC MTOOLS_SKIP_CHECK=1\n"
	"cd /scratch\n"
	"rm -f esp.img\n"
	"truncate -s \"${mib}M\" esp.img\n"
	"touch -d \"@$SOURCE_DATE_EPOCH\" uki.efi\n"
	"mkfs.fat -F 32 -i \"$id\" -n ESP --invariant esp.img\n"
	"mmd -i esp.img ::/EFI ::/EFI/BOOT\n"
	"mcopy -m -i esp.img uki.efi \"::/EFI/BOOT/$name\"\n"
	"rm uki.efi\n";

static int write_script(const struct plan *plan, uint64_t mib, struct buf *ret, struct error *err)
{
	uint8_t id[16];
	int r;

	plan_uuid(plan, "esp", id);
	r = buf_printf(ret, "export SOURCE_DATE_EPOCH=%" PRId64 "\nmib=%" PRIu64 "\nid=%08" PRIx32 "\n",
		       plan->epoch, mib, read_be32(id));
	if (r == 0)
		r = shell_assign(ret, "name", plan->efi_name);
	if (r == 0)
		r = buf_add_string(ret, make_image);
	return r < 0 ? error_system(err, r, "mkfs.fat") : 0;
}

/* As small as fits, or as the description says. */
static int choose_size(const struct plan *plan, uint64_t file_size, uint64_t *ret, struct error *err)
{
	uint64_t least = file_size / MIB + file_size / MIB / 64 + 2;
	uint64_t given = plan->description->esp_mib;

	if (least < ESP_MIN_MIB)
		least = ESP_MIN_MIB;
	if (given != 0 && given < least)
		return error_input(err, "%s: efipartsize is %" PRIu64 " MiB; %s of %" PRIu64 " bytes needs %" PRIu64,
				   plan->description->file, given, plan->efi_name, file_size, least);
	*ret = given != 0 ? given : least;
	return 0;
}

static int esp_run(const struct stage_context *ctx, struct error *err)
{
	const char *uki = artifacts_path(ctx->artifacts, "uki.efi");
	CLEANUP_FREE char *path = path_join(ctx->output, "esp.img");
	CLEANUP_BUF struct buf script = BUF_INIT(SCRIPT_MAX);
	struct guest *g = workshop_guest(ctx->workshop);
	uint64_t mib = 0;
	struct stat st;
	int r;

	if (stat(uki, &st) < 0)
		return error_system(err, errno, "%s", uki);
	r = choose_size(ctx->plan, (uint64_t)st.st_size, &mib, err);
	if (r == 0)
		r = write_script(ctx->plan, mib, &script, err);
	if (r == 0)
		r = guest_upload(g, uki, "/scratch/uki.efi", err);
	if (r == 0)
		r = guest_run(g, buf_text(&script), err);
	return r < 0 ? r : guest_download(g, "/scratch/esp.img", path, err);
}

static int esp_key(const struct plan *plan, struct stage_key *key, struct error *err)
{
	CLEANUP_BUF struct buf script = BUF_INIT(SCRIPT_MAX);
	int r = write_script(plan, plan->description->esp_mib, &script, err);

	if (r == 0)
		stage_key_string(key, "script", buf_text(&script));
	return r;
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
