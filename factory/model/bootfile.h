/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_BOOTFILE_H
#define KILN_MODEL_BOOTFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/io.h"
#include "../format/gpt.h"
#include "../format/pe.h"

struct architecture;
struct error;

/*
 * What firmware would load and measure from a file: the boot file in the ESP of a raw disk, and the
 * disk's partition table; or a bare PE file itself. Read from the bytes that will be shipped, never
 * from what a build believes it has put there.
 */

#define BOOTFILE_MAX (UINT64_C(1) << 30)

struct bootfile {
	char *path;
	struct io_map file;
	bool disk;			/* a disk with a GPT; otherwise the file is the image */
	const struct architecture *arch;	/* of a disk: that of its root partition; NULL for a bare image */
	char *boot_path;		/* of a disk: "\EFI\BOOT\BOOTX64.EFI"; else NULL */
	struct gpt gpt;
	uint8_t gpt_event[GPT_MEASURED_MAX];	/* UEFI_GPT_DATA */
	size_t gpt_event_size;
	struct buf taken;		/* the boot file, out of the ESP */
	const uint8_t *image;		/* the PE image's bytes */
	size_t image_size;
	struct pe pe;
};

/* ERROR_INPUT "FILE: ..." for a file that is neither, is cut off (names the byte), has no ESP, or no
 * boot file in it. */
int bootfile_open(const char *path, struct bootfile **ret, struct error *err);
void bootfile_free(struct bootfile *b);
void bootfile_freep(struct bootfile **b);
#define CLEANUP_BOOTFILE __attribute__((cleanup(bootfile_freep)))

/* The first partition of a type, or NULL; its bytes lie inside the file. */
const struct gpt_partition *bootfile_partition(const struct bootfile *b, const uint8_t type[static 16]);
/* The image's embedded command line without trailing NULs and newlines, "" when there is none; malloc'ed. */
char *bootfile_cmdline(const struct bootfile *b);
/* The value of "roothash=" among the words of a command line; -ENOENT when there is none or it is
 * no SHA-256. */
int bootfile_root_hash(const char *cmdline, uint8_t ret[static 32]);

/*
 * Do command line, partition table and hash tree speak of the same root, and is the boot file for that
 * root's processor? The ids of the root and
 * verity partitions are the halves of the root hash, the verity superblock covers no more than the
 * root partition, and the tree's top block has the root hash. ERROR_VERDICT says which does not hold.
 * Not the whole tree: that is the kernel's work at every read.
 */
int bootfile_check_root(const struct bootfile *b, struct error *err);

#endif
