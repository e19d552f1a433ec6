/* SPDX-License-Identifier: Apache-2.0 */
#include "bootfile.h"

#include <errno.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/cleanup.h"
#include "../base/digest.h"
#include "../base/error.h"
#include "../base/hex.h"
#include "../format/fat.h"
#include "../format/verity.h"
#include "architecture.h"
#include "memory.h"

/* ---------------------------------------------------------------- opening */

static bool has_gpt(const struct io_map *file)
{
	return range_fits(GPT_SECTOR, 8, file->size) &&
	       memcmp(file->data + GPT_SECTOR, "EFI PART", 8) == 0;
}

/* A copy that ended early still has its table: say where the file should have ended. */
static int check_length(const struct bootfile *b, struct error *err)
{
	uint64_t backup;

	for (unsigned int i = 0; i < b->gpt.count; i++) {
		const struct gpt_partition *p = &b->gpt.partitions[i];

		if (!range_fits(p->offset, p->size, b->file.size))
			return error_input(err,
					   "%s: the disk is cut off at byte %zu: partition %u (\"%s\") reaches to byte %ju",
					   b->path, b->file.size, p->number, p->name,
					   (uintmax_t)(p->offset + p->size));
	}
	if (__builtin_mul_overflow(b->gpt.alternate_lba, (uint64_t)GPT_SECTOR, &backup) ||
	    !range_fits(backup, GPT_SECTOR, b->file.size))
		return error_input(err,
				   "%s: the disk is cut off at byte %zu: the backup GPT belongs at sector %ju",
				   b->path, b->file.size, (uintmax_t)b->gpt.alternate_lba);
	return 0;
}

/* The removable media path has the processor in its name (UEFI 3.5.1.1), and so has the root's type. */
static void find_architecture(struct bootfile *b)
{
	for (unsigned int i = 0; i < b->gpt.count && !b->arch; i++)
		b->arch = architecture_of_root(b->gpt.partitions[i].type);
	if (!b->arch)
		b->arch = architecture_default();
	b->boot_path = string_printf("\\EFI\\BOOT\\%s", b->arch->efi_name);
}

static int take_boot_file(struct bootfile *b, struct error *err)
{
	const struct gpt_partition *esp = bootfile_partition(b, gpt_type_esp);
	int r;

	if (!esp)
		return error_input(err, "%s: the disk has no EFI system partition", b->path);
	r = fat_read_file(b->file.data + esp->offset, esp->size, b->boot_path, &b->taken, err);
	if (r < 0)
		return error_wrap(err, "%s: EFI system partition at byte %ju", b->path,
				  (uintmax_t)esp->offset);
	b->image = b->taken.data;
	b->image_size = b->taken.len;
	return 0;
}

static int open_disk(struct bootfile *b, struct error *err)
{
	const char *problem;
	int r;

	b->disk = true;
	/* The end of the file is checked afterwards, with words of our own. */
	problem = gpt_parse(b->file.data, b->file.size, UINT64_MAX, &b->gpt);
	if (!problem)
		problem = gpt_measured(b->file.data, b->file.size, b->gpt_event, &b->gpt_event_size);
	if (problem)
		return error_input(err, "%s: %s", b->path, problem);
	r = check_length(b, err);
	find_architecture(b);
	return r < 0 ? r : take_boot_file(b, err);
}

static int open_image(struct bootfile *b, struct error *err)
{
	if (b->file.size < 2 || memcmp(b->file.data, "MZ", 2))
		return error_input(err,
				   "%s: neither a disk with a GPT (no \"EFI PART\" at byte %d) nor a PE image (no \"MZ\" at byte 0)",
				   b->path, GPT_SECTOR);
	b->image = b->file.data;
	b->image_size = b->file.size;
	return 0;
}

int bootfile_open(const char *path, struct bootfile **ret, struct error *err)
{
	CLEANUP_BOOTFILE struct bootfile *b = memory_new(sizeof(*b));
	int r;

	if (!io_exists(path))
		return error_input(err, "%s: there is no such file", path);
	b->path = string_copy(path);
	b->taken.max = BOOTFILE_MAX;
	r = io_map_file(path, &b->file, err);
	if (r < 0)
		return r;
	r = has_gpt(&b->file) ? open_disk(b, err) : open_image(b, err);
	if (r < 0)
		return r;
	r = pe_parse(b->image, b->image_size, &b->pe, err);
	if (r < 0)
		return error_wrap(err, "%s%s%s", path, b->disk ? ": " : "", b->disk ? b->boot_path : "");
	*ret = TAKE_PTR(b);
	return 0;
}

void bootfile_free(struct bootfile *b)
{
	if (!b)
		return;
	buf_free(&b->taken);
	io_unmap(&b->file);
	free(b->path);
	free(b->boot_path);
	free(b);
}

void bootfile_freep(struct bootfile **b)
{
	bootfile_free(*b);
}

/* ---------------------------------------------------------------- facts */

const struct gpt_partition *bootfile_partition(const struct bootfile *b, const uint8_t type[static 16])
{
	for (unsigned int i = 0; i < b->gpt.count; i++)
		if (memcmp(b->gpt.partitions[i].type, type, 16) == 0)
			return &b->gpt.partitions[i];
	return NULL;
}

char *bootfile_cmdline(const struct bootfile *b)
{
	const struct pe_section *s = pe_find(&b->pe, ".cmdline");
	const uint8_t *data;
	size_t size;

	if (!s)
		return string_copy("");
	pe_section_bytes(&b->pe, s, &data, &size);
	while (size > 0 && (data[size - 1] == '\0' || data[size - 1] == '\n'))
		size--;
	return string_printf("%.*s", (int)size, (const char *)data);
}

int bootfile_root_hash(const char *cmdline, uint8_t ret[static 32])
{
	static const char key[] = "roothash=";
	CLEANUP_FREE char *copy = string_copy(cmdline);
	char *rest = copy, *word;

	while ((word = strsep(&rest, " ")))
		if (strncmp(word, key, sizeof(key) - 1) == 0)
			return hex_decode(word + sizeof(key) - 1, ret, 32) < 0 ? -ENOENT : 0;
	return -ENOENT;
}

/* ---------------------------------------------------------------- the root hash */

static int check_id(const struct bootfile *b, const struct gpt_partition *p, const char *what,
		    const uint8_t half[static 16], struct error *err)
{
	char is[GUID_TEXT_SIZE], should_be[GUID_TEXT_SIZE];
	uint8_t id[16];

	guid_from_uuid(half, id);
	if (memcmp(p->id, id, 16) == 0)
		return 0;
	guid_format(p->id, is);
	guid_format(id, should_be);
	return error_verdict(err, "%s: the %s partition's id is %s, but the root hash says %s", b->path,
			     what, is, should_be);
}

/* The block whose digest is the root hash: the tree's top, or the only data block when there is none. */
static const uint8_t *top_block(const struct bootfile *b, const struct verity_superblock *sb,
				const struct gpt_partition *root, const struct gpt_partition *tree,
				uint32_t *ret_size)
{
	bool single = sb->data_blocks == 1;
	const struct gpt_partition *p = single ? root : tree;
	uint64_t offset = single ? 0 : sb->hash_block_size;

	*ret_size = single ? sb->data_block_size : sb->hash_block_size;
	if (!range_fits(offset, *ret_size, p->size))
		return NULL;
	return b->file.data + p->offset + offset;
}

static int check_tree(const struct bootfile *b, const struct gpt_partition *root,
		      const struct gpt_partition *tree, const uint8_t root_hash[static 32],
		      struct error *err)
{
	CLEANUP_DIGESTER struct digester *d = digester_new(DIGEST_SHA256);
	struct verity_superblock sb;
	struct digest digest;
	const uint8_t *block;
	const char *problem;
	uint32_t block_size;
	uint64_t covered;

	problem = verity_parse(b->file.data + tree->offset, tree->size, &sb);
	if (problem)
		return error_verdict(err, "%s: verity partition at byte %ju: %s", b->path,
				     (uintmax_t)tree->offset, problem);
	if (strcmp(sb.algorithm, "sha256"))
		return error_verdict(err, "%s: the hash tree is made with %s, not sha256", b->path,
				     sb.algorithm);
	if (__builtin_mul_overflow(sb.data_blocks, (uint64_t)sb.data_block_size, &covered) ||
	    covered > root->size)
		return error_verdict(err, "%s: the hash tree covers more than the root partition", b->path);
	block = top_block(b, &sb, root, tree, &block_size);
	if (!block)
		return error_verdict(err, "%s: the verity partition ends before its tree", b->path);
	digester_add(d, sb.salt, sb.salt_size);
	digester_add(d, block, block_size);
	digester_final(d, &digest);
	if (memcmp(digest.bytes, root_hash, 32))
		return error_verdict(err, "%s: the hash tree does not have the root hash of the command line",
				     b->path);
	return 0;
}

int bootfile_check_root(const struct bootfile *b, struct error *err)
{
	const struct gpt_partition *root = b->disk ? bootfile_partition(b, b->arch->root_type) : NULL;
	const struct gpt_partition *tree = b->disk ? bootfile_partition(b, b->arch->verity_type) : NULL;
	CLEANUP_FREE char *cmdline = bootfile_cmdline(b);
	uint8_t root_hash[32];
	int r;

	if (!root || !tree)
		return error_verdict(err, "%s: no %s partition", b->path, root ? "verity" : "root");
	if (b->pe.machine != b->arch->pe_machine)
		return error_verdict(err, "%s: the boot file is for machine 0x%04x; firmware of %s wants 0x%04x",
				     b->path, b->pe.machine, b->arch->name, b->arch->pe_machine);
	if (bootfile_root_hash(cmdline, root_hash) < 0)
		return error_verdict(err, "%s: the command line \"%s\" names no root hash", b->path, cmdline);
	r = check_id(b, root, "root", root_hash, err);
	if (r == 0)
		r = check_id(b, tree, "verity", root_hash + 16, err);
	if (r == 0)
		r = check_tree(b, root, tree, root_hash, err);
	return r;
}
