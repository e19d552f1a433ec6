/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <libfdisk/libfdisk.h>

#include "../factory/base/bytes.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/hex.h"
#include "../factory/base/io.h"
#include "../factory/format/gpt.h"
#include "../factory/model/plan.h"
#include "registry.h"
#include "verity.h"

/*
 * The raw disk: three partitions as the Discoverable Partitions Specification names them, in a GPT
 * written by libfdisk into a sparse file. The root and verity partitions carry the two halves of
 * the root hash as their ids, so "roothash=" alone finds them.
 */

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define SECTOR GPT_SECTOR
#define PARTITIONS 3

struct slot {
	const char *label;
	const char *source;		/* artifact with the contents */
	const uint8_t *type;
	uint8_t id[16];			/* text order */
	bool read_only;			/* GPT attribute bit 60 */
	uint64_t offset, size;
};

/* ---------------------------------------------------------------- layout */

static void name_slots(const struct plan *plan, const uint8_t root_hash[static 32],
		       const struct artifacts *artifacts, struct slot slots[static PARTITIONS])
{
	const struct architecture *arch = plan->arch;

	slots[0] = (struct slot) {
		.label = "esp", .type = gpt_type_esp,
		.source = artifacts_path(artifacts, "esp.img"),
	};
	slots[1] = (struct slot) {
		.label = arch->root_label, .type = arch->root_type, .read_only = true,
		.source = artifacts_path(artifacts, "root.erofs"),
	};
	slots[2] = (struct slot) {
		.label = arch->verity_label, .type = arch->verity_type, .read_only = true,
		.source = artifacts_path(artifacts, "root.verity"),
	};
	plan_uuid(plan, "esp", slots[0].id);
	memcpy(slots[1].id, root_hash, 16);
	memcpy(slots[2].id, root_hash + 16, 16);
}

/*
 * Sets offsets and sizes, aligned to 1 MiB; *ret_total is the whole disk in full GiB, because that is
 * what EBS counts in: the backup GPT must lie at the end of the volume.
 */
static int lay_out(struct slot slots[static PARTITIONS], unsigned int least_gib, uint64_t *ret_total,
		   struct error *err)
{
	uint64_t end = MIB, total;
	struct stat st;

	for (unsigned int i = 0; i < PARTITIONS; i++) {
		if (stat(slots[i].source, &st) < 0)
			return error_system(err, errno, "%s", slots[i].source);
		slots[i].offset = end;
		if (!align_up((uint64_t)st.st_size, MIB, &slots[i].size) || slots[i].size == 0 ||
		    __builtin_add_overflow(end, slots[i].size, &end))
			return error_input(err, "%s: %jd bytes make no partition", slots[i].source,
					   (intmax_t)st.st_size);
	}
	if (!align_up(end + MIB, GIB, &total))
		return error_input(err, "the disk would be larger than a disk can be");
	if (total < least_gib * GIB)
		total = least_gib * GIB;
	*ret_total = total;
	return 0;
}

/* ---------------------------------------------------------------- libfdisk */

static void fdisk_freep(struct fdisk_context **cxt)
{
	fdisk_unref_context(*cxt);
}
static void partition_freep(struct fdisk_partition **pa)
{
	fdisk_unref_partition(*pa);
}
static void parttype_freep(struct fdisk_parttype **t)
{
	fdisk_unref_parttype(*t);
}
#define CLEANUP_FDISK __attribute__((cleanup(fdisk_freep)))
#define CLEANUP_FDISK_PARTITION __attribute__((cleanup(partition_freep)))
#define CLEANUP_FDISK_TYPE __attribute__((cleanup(parttype_freep)))

static void uuid_text(const uint8_t uuid[static 16], char ret[static GUID_TEXT_SIZE])
{
	uint8_t guid[16];

	guid_from_uuid(uuid, guid);
	guid_format(guid, ret);
}

static int add_partition(struct fdisk_context *cxt, const struct slot *slot, size_t number)
{
	CLEANUP_FDISK_PARTITION struct fdisk_partition *pa = fdisk_new_partition();
	CLEANUP_FDISK_TYPE struct fdisk_parttype *type = NULL;
	char type_text[GUID_TEXT_SIZE], id_text[GUID_TEXT_SIZE];
	int r;

	if (!pa)
		return -ENOMEM;
	guid_format(slot->type, type_text);
	uuid_text(slot->id, id_text);
	type = fdisk_label_parse_parttype(fdisk_get_label(cxt, "gpt"), type_text);
	if (!type)
		return -ENOMEM;
	r = fdisk_partition_set_partno(pa, number);
	if (r == 0)
		r = fdisk_partition_set_start(pa, slot->offset / SECTOR);
	if (r == 0)
		r = fdisk_partition_set_size(pa, slot->size / SECTOR);
	if (r == 0)
		r = fdisk_partition_size_explicit(pa, 1);
	if (r == 0)
		r = fdisk_partition_set_type(pa, type);
	if (r == 0)
		r = fdisk_partition_set_uuid(pa, id_text);
	if (r == 0)
		r = fdisk_partition_set_name(pa, slot->label);
	if (r == 0 && slot->read_only)
		r = fdisk_partition_set_attrs(pa, "GUID:60");
	if (r == 0)
		r = fdisk_add_partition(cxt, pa, NULL);
	return r;
}

/* No dialogs and no terminal: what libfdisk has to say comes back as a return code. */
static int no_questions(struct fdisk_context *cxt, struct fdisk_ask *ask, void *arg)
{
	(void)cxt;
	(void)ask;
	(void)arg;
	return 0;
}

static int write_table(const char *path, const uint8_t disk_id[static 16],
		       const struct slot slots[static PARTITIONS], struct error *err)
{
	CLEANUP_FDISK struct fdisk_context *cxt = fdisk_new_context();
	char id_text[GUID_TEXT_SIZE];
	int r;

	if (!cxt)
		return error_system(err, ENOMEM, "libfdisk");
	uuid_text(disk_id, id_text);
	fdisk_disable_dialogs(cxt, 1);
	r = fdisk_set_ask(cxt, no_questions, NULL);
	/* The host's idea of the file's block size must not move partitions. */
	if (r == 0)
		r = fdisk_save_user_sector_size(cxt, SECTOR, SECTOR);
	if (r == 0)
		r = fdisk_save_user_grain(cxt, MIB);
	if (r == 0)
		r = fdisk_assign_device(cxt, path, 0);
	if (r == 0)
		r = fdisk_create_disklabel(cxt, "gpt");
	/* A new label has a random id until it is given ours. */
	if (r == 0)
		r = fdisk_set_disklabel_id_from_string(cxt, id_text);
	for (size_t i = 0; i < PARTITIONS && r == 0; i++)
		r = add_partition(cxt, &slots[i], i);
	if (r == 0)
		r = fdisk_write_disklabel(cxt);
	if (r == 0)
		r = fdisk_deassign_device(cxt, 0);
	if (r < 0)
		return error_system(err, r, "libfdisk on %s", path);
	return 0;
}

/* ---------------------------------------------------------------- the stage */

static int fill(int disk, const struct slot *slot, struct error *err)
{
	CLEANUP_CLOSE int from = open(slot->source, O_RDONLY | O_CLOEXEC);

	if (from < 0)
		return error_system(err, errno, "%s", slot->source);
	return io_copy_range(from, 0, disk, slot->offset, UINT64_MAX, slot->source, err);
}

static int make_disk(const char *path, uint64_t size, const uint8_t disk_id[static 16],
		     const struct slot slots[static PARTITIONS], struct error *err)
{
	CLEANUP_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int r;

	if (fd < 0)
		return error_system(err, errno, "%s", path);
	if (ftruncate(fd, (off_t)size) < 0)
		return error_system(err, errno, "%s: cannot make it %ju bytes long", path,
				    (uintmax_t)size);
	r = write_table(path, disk_id, slots, err);
	for (unsigned int i = 0; i < PARTITIONS && r == 0; i++)
		r = fill(fd, &slots[i], err);
	return r;
}

static int disk_run(const struct stage_context *ctx, struct error *err)
{
	CLEANUP_FREE char *path = path_join(ctx->output, "disk.raw");
	uint8_t root_hash[ROOT_HASH_DIGITS / 2], disk_id[16];
	char root_hash_text[ROOT_HASH_DIGITS + 1];
	struct slot slots[PARTITIONS];
	uint64_t total = 0;
	int r;

	r = verity_root_hash(ctx->artifacts, root_hash_text, err);
	if (r < 0)
		return r;
	if (hex_decode(root_hash_text, root_hash, sizeof(root_hash)) < 0)
		return error_input(err, "\"%s\" is no root hash", root_hash_text);
	name_slots(ctx->plan, root_hash, ctx->artifacts, slots);
	r = lay_out(slots, ctx->plan->description->size_gib, &total, err);
	if (r < 0)
		return r;
	plan_uuid(ctx->plan, "disk", disk_id);
	return make_disk(path, total, disk_id, slots, err);
}

static int disk_key(const struct plan *plan, struct stage_key *key, struct error *err)
{
	static const char *const purposes[] = { "disk", "esp" };
	uint8_t uuid[16];
	char text[33];

	(void)err;
	for (size_t i = 0; i < ARRAY_SIZE(purposes); i++) {
		plan_uuid(plan, purposes[i], uuid);
		hex_encode(uuid, sizeof(uuid), text);
		stage_key_string(key, purposes[i], text);
	}
	stage_key_number(key, "size_gib", plan->description->size_gib);
	stage_key_string(key, "root", plan->arch->root_label);
	return 0;
}

const struct stage stage_disk = {
	.name = "disk",
	.title = "putting the disk together",
	.version = "1",
	.room = ROOM_FACTORY,
	.inputs = { "esp.img", "root.erofs", "root.verity", "root.hash" },
	.outputs = { "disk.raw" },
	.key = disk_key,
	.run = disk_run,
};
