/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_GPT_H
#define KILN_FORMAT_GPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * GUID Partition Table, read only (UEFI Specification 5.3), 512-byte sectors. Writing is libfdisk's.
 * Also compiled into the initrd's /init, so it depends on nothing but libc and base/bytes.h and
 * reports errors as a static string.
 */

#define GPT_SECTOR 512
#define GPT_PARTITIONS_MAX 128
/* Enough of the disk's start to hold the protective MBR, the header and 128 entries. */
#define GPT_HEAD_SIZE (34 * GPT_SECTOR)

/* Discoverable Partitions Specification type GUIDs, in on-disk byte order. */
extern const uint8_t gpt_type_esp[16];			/* c12a7328-f81f-11d2-ba4b-00a0c93ec93b */
extern const uint8_t gpt_type_root_x86_64[16];		/* 4f68bce3-e8cd-4db1-96e7-fbcaf984b709 */
extern const uint8_t gpt_type_root_verity_x86_64[16];	/* 2c7357ed-ebd2-46d9-aec1-23d437ec2bf5 */
extern const uint8_t gpt_type_root_arm64[16];		/* b921b045-1df0-41c3-af44-4c6f280d3fae */
extern const uint8_t gpt_type_root_verity_arm64[16];	/* df3300ce-d69f-4c92-978c-9bfb0f38d820 */

struct gpt_partition {
	unsigned int number;		/* from 1 */
	uint8_t type[16], id[16];	/* on-disk byte order */
	uint64_t offset, size;		/* bytes */
	uint64_t attributes;
	char name[36 * 3 + 1];		/* UTF-8; what is no valid UTF-16 becomes '?' */
};

struct gpt {
	uint8_t disk_id[16];
	uint64_t alternate_lba, first_usable_lba, last_usable_lba;
	unsigned int count;		/* used entries only, in table order */
	struct gpt_partition partitions[GPT_PARTITIONS_MAX];
};

/*
 * `head` is the first `size` bytes of a disk of `disk_size` bytes (GPT_HEAD_SIZE suffices). Checks
 * signature, both CRCs, entry size 128, and that partitions lie inside the disk and the usable area.
 * Returns NULL, or why not ("no GPT signature at byte 512").
 */
const char *gpt_parse(const uint8_t *head, size_t size, uint64_t disk_size, struct gpt *ret);

/*
 * The data of EDK2's EV_EFI_GPT_EVENT (TCG PFP 1.06, UEFI_GPT_DATA): the 92-byte header, u64 number
 * of used entries, the used entries. `ret` needs GPT_MEASURED_MAX bytes; *ret_size is what was used.
 * Same errors as gpt_parse().
 */
#define GPT_MEASURED_MAX (92 + 8 + 128 * GPT_PARTITIONS_MAX)
const char *gpt_measured(const uint8_t *head, size_t size, uint8_t *ret, size_t *ret_size);

/* The checksum of header and entries (UEFI Specification 5.3.2: CRC-32 of ISO 3309). */
uint32_t gpt_crc32(const uint8_t *data, size_t size);

#endif
