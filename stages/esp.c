/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/bytes.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/model/plan.h"
#include "../rootfs/toolbox.h"
#include "registry.h"

/* The EFI system partition: FAT32 with the one file that the firmware starts. */

#define MIB UINT64_C(1048576)

/*
 * FAT32 needs 65525 clusters (Microsoft's FAT specification, 3.5); with clusters of one sector, as mkfs.fat
 * makes them up to 260 MiB, the smallest is a little above 32 MiB. Two tables of four bytes a cluster
 * take one 64th.
 */
#define ESP_MIN_MIB 36

/* As small as fits, or as the description says. */
static int choose_size(const struct plan *plan, uint64_t file_size, uint64_t *ret, struct error *err)
{
	uint64_t least = file_size / MIB + file_size / MIB / 64 + 2;
	uint64_t given = plan->description->esp_mib;

	if (least < ESP_MIN_MIB)
		least = ESP_MIN_MIB;
	if (given != 0 && given < least)
		return error_input(err, "%s: efipartsize is %" PRIu64 " MiB; %s of %" PRIu64 " bytes needs %" PRIu64,
				   plan->description->file, given, plan->arch->efi_name, file_size, least);
	*ret = given != 0 ? given : least;
	return 0;
}

static int run_tool(const struct stage_context *ctx, const char *const *argv, const char *scratch,
		    struct error *err)
{
	const char *const writable[] = { scratch, ctx->output, NULL };
	/* Of mtools; the settings of whoever runs this must not count. */
	const char *const env[] = { "MTOOLSRC=/dev/null", "MTOOLS_SKIP_CHECK=1", NULL };

	return toolbox_run(&(struct toolbox_command) {
		.tree = artifacts_path(ctx->artifacts, TOOLBOX_TREE), .argv = argv, .writable = writable,
		.cwd = ctx->output, .env = env, .epoch = ctx->plan->epoch,
	}, err);
}

/* "XXXXXXXX", the volume's serial number. */
static char *volume_id(const struct plan *plan)
{
	uint8_t id[16];

	plan_uuid(plan, "esp", id);
	return string_printf("%08" PRIx32, read_be32(id));
}

static int make_empty(const char *path, uint64_t mib, struct error *err)
{
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0 || ftruncate(fd, (off_t)(mib * MIB)) < 0)
		return error_system(err, errno, "%s", path);
	return 0;
}

/* mcopy takes a file's time from the file. */
static int copy_dated(const struct plan *plan, const char *from, const char *to, struct error *err)
{
	const struct timespec times[2] = { { .tv_sec = plan->epoch }, { .tv_sec = plan->epoch } };
	int r = io_copy_file(from, to, 0644, err);

	if (r == 0 && utimensat(AT_FDCWD, to, times, 0) < 0)
		r = error_system(err, errno, "%s", to);
	return r;
}

/* By its name alone: of a path, mtools takes what follows "@@" for an offset. */
#define IMAGE "esp.img"

static int fill(const struct stage_context *ctx, const char *uki, const char *scratch, struct error *err)
{
	CLEANUP_FREE char *id = volume_id(ctx->plan);
	CLEANUP_FREE char *to = string_printf("::/EFI/BOOT/%s", ctx->plan->arch->efi_name);
	const char *const mkfs[] = {
		"mkfs.fat", "-F", "32", "-i", id, "-n", "ESP", "--invariant", IMAGE, NULL,
	};
	const char *const mmd[] = { "mmd", "-i", IMAGE, "::/EFI", "::/EFI/BOOT", NULL };
	const char *const mcopy[] = { "mcopy", "-m", "-i", IMAGE, uki, to, NULL };
	int r = run_tool(ctx, mkfs, scratch, err);

	if (r == 0)
		r = run_tool(ctx, mmd, scratch, err);
	return r < 0 ? r : run_tool(ctx, mcopy, scratch, err);
}

static int esp_run(const struct stage_context *ctx, struct error *err)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_FREE char *copy = NULL;
	CLEANUP_FREE char *image = path_join(ctx->output, IMAGE);
	const char *uki = artifacts_path(ctx->artifacts, "boot.efi");
	uint64_t mib = 0;
	struct stat st;
	int r;

	if (stat(uki, &st) < 0)
		return error_system(err, errno, "%s", uki);
	r = choose_size(ctx->plan, (uint64_t)st.st_size, &mib, err);
	if (r == 0)
		r = stage_scratch(ctx, &scratch, err);
	if (r < 0)
		return r;
	copy = path_join(scratch.path, "boot.efi");
	r = copy_dated(ctx->plan, uki, copy, err);
	if (r == 0)
		r = make_empty(image, mib, err);
	return r < 0 ? r : fill(ctx, copy, scratch.path, err);
}

static int esp_key(const struct plan *plan, struct stage_key *key, struct error *err)
{
	CLEANUP_FREE char *id = volume_id(plan);

	(void)err;
	stage_key_string(key, "volume id", id);
	stage_key_string(key, "file name", plan->arch->efi_name);
	stage_key_number(key, "size in MiB", plan->description->esp_mib);
	stage_key_number(key, "epoch", (uint64_t)plan->epoch);
	return 0;
}

const struct stage stage_esp = {
	.name = "esp",
	.title = "making the EFI system partition",
	.version = "2",
	.room = ROOM_FACTORY,
	.inputs = { TOOLBOX_TREE, "boot.efi" },
	.outputs = { IMAGE },
	.key = esp_key,
	.run = esp_run,
};
