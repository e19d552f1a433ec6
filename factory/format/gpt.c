/* SPDX-License-Identifier: Apache-2.0 */
#include "gpt.h"

#include <string.h>

#include "../base/bytes.h"
#include "utf16.h"

#define ENTRY_SIZE 128
#define HEADER_SIZE 92
#define NAME_UNITS 36

const uint8_t gpt_type_esp[16] = {0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
				  0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b};
const uint8_t gpt_type_root_x86_64[16] = {0xe3, 0xbc, 0x68, 0x4f, 0xcd, 0xe8, 0xb1, 0x4d,
					  0x96, 0xe7, 0xfb, 0xca, 0xf9, 0x84, 0xb7, 0x09};
const uint8_t gpt_type_root_verity_x86_64[16] = {0xed, 0x57, 0x73, 0x2c, 0xd2, 0xeb, 0xd9, 0x46,
						 0xae, 0xc1, 0x23, 0xd4, 0x37, 0xec, 0x2b, 0xf5};
const uint8_t gpt_type_root_arm64[16] = {0x45, 0xb0, 0x21, 0xb9, 0xf0, 0x1d, 0xc3, 0x41,
					 0xaf, 0x44, 0x4c, 0x6f, 0x28, 0x0d, 0x3f, 0xae};
const uint8_t gpt_type_root_verity_arm64[16] = {0xce, 0x00, 0x33, 0xdf, 0x9f, 0xd6, 0x92, 0x4c,
						0x97, 0x8c, 0x9b, 0xfb, 0x0f, 0x38, 0xd8, 0x20};

/* A primary table whose checksums hold. */
struct table {
	const uint8_t *header;
	const uint8_t *entries;
	uint32_t count;
};

/* Reflected CRC-32, polynomial 0x04c11db7, as UEFI's CalculateCrc32(). */
uint32_t gpt_crc32(const uint8_t *data, size_t size)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < size; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static const char *check_header(const uint8_t *header)
{
	uint8_t copy[GPT_SECTOR];
	uint32_t header_size = read_le32(header + 12);

	if (memcmp(header, "EFI PART", 8) != 0)
		return "no GPT signature at byte 512";
	if (read_le32(header + 8) != 0x00010000)
		return "the GPT header's revision is not 1.0";
	if (header_size < HEADER_SIZE || header_size > GPT_SECTOR)
		return "the GPT header's size is not between 92 and 512";
	/* The checksum's own field counts as zero. */
	memcpy(copy, header, sizeof(copy));
	memset(copy + 16, 0, 4);
	if (gpt_crc32(copy, header_size) != read_le32(header + 16))
		return "the GPT header's CRC does not match";
	if (read_le64(header + 24) != 1)
		return "the GPT header does not say that it is at sector 1";
	return NULL;
}

static const char *find_table(const uint8_t *head, size_t size, struct table *ret)
{
	struct table t = {.header = head + GPT_SECTOR};
	const char *problem;
	uint64_t lba;

	if (size < 2 * GPT_SECTOR)
		return "too short for a GPT header at byte 512";
	problem = check_header(t.header);
	if (problem)
		return problem;
	t.count = read_le32(t.header + 80);
	if (read_le32(t.header + 84) != ENTRY_SIZE)
		return "the GPT's entry size is not 128";
	if (t.count == 0 || t.count > GPT_PARTITIONS_MAX)
		return "the GPT's number of entries is not between 1 and 128";
	lba = read_le64(t.header + 72);
	if (lba < 2)
		return "the GPT's entries overlap its header";
	if (lba > size / GPT_SECTOR || !range_fits(lba * GPT_SECTOR, t.count * ENTRY_SIZE, size))
		return "the GPT's entries lie beyond the bytes given";
	t.entries = head + lba * GPT_SECTOR;
	if (gpt_crc32(t.entries, (size_t)t.count * ENTRY_SIZE) != read_le32(t.header + 88))
		return "the CRC of the GPT's entries does not match";
	*ret = t;
	return NULL;
}

/* An entry is used if its type is not the zero GUID. */
static bool entry_used(const uint8_t *entry)
{
	static const uint8_t unused[16];

	return memcmp(entry, unused, sizeof(unused)) != 0;
}

static const char *parse_entry(const struct gpt *gpt, const uint8_t *entry, uint64_t disk_size,
			       struct gpt_partition *ret)
{
	uint64_t first = read_le64(entry + 32), last = read_le64(entry + 40);

	if (first > last)
		return "a GPT partition ends before it begins";
	if (first < gpt->first_usable_lba || last > gpt->last_usable_lba)
		return "a GPT partition lies outside the usable area";
	if (last >= disk_size / GPT_SECTOR)
		return "a GPT partition lies beyond the end of the disk";
	memcpy(ret->type, entry, 16);
	memcpy(ret->id, entry + 16, 16);
	ret->offset = first * GPT_SECTOR;
	ret->size = (last - first + 1) * GPT_SECTOR;
	ret->attributes = read_le64(entry + 48);
	utf16le_to_utf8(entry + 56, NAME_UNITS, ret->name);
	return NULL;
}

const char *gpt_parse(const uint8_t *head, size_t size, uint64_t disk_size, struct gpt *ret)
{
	struct gpt gpt = {.count = 0};
	struct table t;
	const char *problem = find_table(head, size, &t);

	if (problem)
		return problem;
	gpt.alternate_lba = read_le64(t.header + 32);
	gpt.first_usable_lba = read_le64(t.header + 40);
	gpt.last_usable_lba = read_le64(t.header + 48);
	memcpy(gpt.disk_id, t.header + 56, sizeof(gpt.disk_id));
	for (uint32_t i = 0; i < t.count; i++) {
		const uint8_t *entry = t.entries + (size_t)i * ENTRY_SIZE;

		if (!entry_used(entry))
			continue;
		problem = parse_entry(&gpt, entry, disk_size, &gpt.partitions[gpt.count]);
		if (problem)
			return problem;
		gpt.partitions[gpt.count++].number = i + 1;
	}
	*ret = gpt;
	return NULL;
}

const char *gpt_measured(const uint8_t *head, size_t size, uint8_t *ret, size_t *ret_size)
{
	uint8_t *p = ret + HEADER_SIZE + 8;
	struct gpt gpt;
	struct table t;
	const char *problem = gpt_parse(head, size, UINT64_MAX, &gpt);

	if (!problem)
		problem = find_table(head, size, &t);
	if (problem)
		return problem;
	memcpy(ret, t.header, HEADER_SIZE);
	write_le64(ret + HEADER_SIZE, gpt.count);
	for (unsigned int i = 0; i < gpt.count; i++, p += ENTRY_SIZE)
		memcpy(p, t.entries + (size_t)(gpt.partitions[i].number - 1) * ENTRY_SIZE,
		       ENTRY_SIZE);
	*ret_size = (size_t)(p - ret);
	return NULL;
}
