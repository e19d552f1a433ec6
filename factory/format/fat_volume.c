/* SPDX-License-Identifier: Apache-2.0 */
#include "fat_volume.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/error.h"

#define BOOT_SECTOR_SIZE 512
#define FIRST_CLUSTER 2
#define DIRECTORY_ENTRY_SIZE 32

/* The fields of the boot sector that decide the geometry. */
struct boot_sector {
	uint32_t sector_size, sectors_per_cluster, reserved, tables, root_entries;
	uint32_t total_sectors, table_sectors;
	bool fat32;
};

static bool power_of_two(uint32_t v)
{
	return v && (v & (v - 1)) == 0;
}

static int parse_boot_sector(const uint8_t *data, size_t size, struct boot_sector *ret,
			     struct error *err)
{
	struct boot_sector b;

	if (size < BOOT_SECTOR_SIZE || read_le16(data + 510) != 0xaa55)
		return error_input(err, "no FAT volume: no boot sector signature at byte 510");
	b.sector_size = read_le16(data + 11);
	b.sectors_per_cluster = data[13];
	b.reserved = read_le16(data + 14);
	b.tables = data[16];
	b.root_entries = read_le16(data + 17);
	b.total_sectors = read_le16(data + 19);
	if (b.total_sectors == 0)
		b.total_sectors = read_le32(data + 32);
	b.table_sectors = read_le16(data + 22);
	/* The specification goes by the number of clusters alone; UEFI, Linux and mkfs.fat -F 32 on a
	 * small volume go by this field, which only FAT32 leaves zero. */
	b.fat32 = b.table_sectors == 0;
	if (b.fat32)
		b.table_sectors = read_le32(data + 36);
	if (!power_of_two(b.sector_size) || b.sector_size < 512 || b.sector_size > 4096)
		return error_input(err, "no FAT volume: %" PRIu32 " bytes a sector (byte 11)",
				   b.sector_size);
	if (!power_of_two(b.sectors_per_cluster))
		return error_input(err, "no FAT volume: %" PRIu32 " sectors a cluster (byte 13)",
				   b.sectors_per_cluster);
	if (b.reserved == 0 || b.tables == 0 || b.table_sectors == 0)
		return error_input(err,
				   "no FAT volume: the boot sector leaves no allocation table");
	*ret = b;
	return 0;
}

/* Which width the table's entries have, and whether it is long enough for all clusters. */
static int choose_bits(struct fat_volume *v, const struct boot_sector *b, struct error *err)
{
	uint64_t table_bits = (uint64_t)b->table_sectors * b->sector_size * 8;

	v->bits = b->fat32 ? 32 : v->clusters < 4085 ? 12 : 16;
	if (v->bits == 16 && v->clusters >= 65525)
		return error_input(err, "FAT volume: %" PRIu32 " clusters are too many for FAT16",
				   v->clusters);
	if (v->bits == 32 && v->clusters > 0x0ffffff5)
		return error_input(err, "FAT volume: %" PRIu32 " clusters are too many for FAT32",
				   v->clusters);
	if (((uint64_t)v->clusters + FIRST_CLUSTER) * v->bits > table_bits)
		return error_input(err,
				   "FAT volume: the allocation table is too short for %" PRIu32
				   " clusters",
				   v->clusters);
	return 0;
}

static int lay_out(struct fat_volume *v, const struct boot_sector *b, size_t size,
		   struct error *err)
{
	uint64_t root_bytes = (uint64_t)b->root_entries * DIRECTORY_ENTRY_SIZE;
	uint64_t root_sectors = (root_bytes + b->sector_size - 1) / b->sector_size;
	uint64_t root = b->reserved + (uint64_t)b->tables * b->table_sectors;
	uint64_t first = root + root_sectors;
	uint64_t clusters;

	if ((uint64_t)b->total_sectors * b->sector_size > size)
		return error_input(err,
				   "FAT volume cut short: it has %" PRIu32 " sectors of %" PRIu32
				   " bytes, but only %zu bytes are there",
				   b->total_sectors, b->sector_size, size);
	if (first >= b->total_sectors)
		return error_input(err, "FAT volume: no room for data behind its tables");
	clusters = (b->total_sectors - first) / b->sectors_per_cluster;
	if (clusters == 0)
		return error_input(err, "FAT volume: no room for a single cluster");
	v->clusters = (uint32_t)clusters;
	v->cluster_size = (size_t)b->sectors_per_cluster * b->sector_size;
	v->table = (size_t)b->reserved * b->sector_size;
	v->root = (size_t)(root * b->sector_size);
	v->root_size = (size_t)root_bytes;
	v->clusters_offset = (size_t)(first * b->sector_size);
	return choose_bits(v, b, err);
}

int fat_volume_open(const uint8_t *data, size_t size, struct fat_volume *ret, struct error *err)
{
	struct fat_volume v = {.data = data};
	struct boot_sector b = {.fat32 = false};
	int r = parse_boot_sector(data, size, &b, err);

	if (r == 0)
		r = lay_out(&v, &b, size, err);
	if (r < 0)
		return r;
	if (b.fat32)
		v.root_cluster = read_le32(data + 44);
	v.entered = calloc(v.clusters / 8 + 1, 1);
	if (!v.entered)
		return error_system(err, ENOMEM, "cannot read a FAT volume");
	*ret = v;
	return 0;
}

void fat_volume_close(struct fat_volume *v)
{
	free(v->entered);
	v->entered = NULL;
}

int fat_volume_enter(struct fat_volume *v, uint32_t cluster, const uint8_t **ret, struct error *err)
{
	uint32_t index = cluster - FIRST_CLUSTER;
	uint8_t bit = (uint8_t)(1 << index % 8);

	if (cluster < FIRST_CLUSTER || index >= v->clusters)
		return error_input(err, "FAT volume: a chain leaves the volume at cluster %" PRIu32,
				   cluster);
	if (v->entered[index / 8] & bit)
		return error_input(err, "FAT volume: cluster %" PRIu32 " is used twice", cluster);
	v->entered[index / 8] |= bit;
	*ret = v->data + v->clusters_offset + (size_t)index * v->cluster_size;
	return 0;
}

/* An entry of twelve bits may begin in the middle of a byte. */
static uint32_t read_entry12(const uint8_t *table, uint32_t cluster)
{
	uint16_t pair = read_le16(table + cluster + cluster / 2);

	return cluster & 1 ? pair >> 4 : pair & 0xfff;
}

uint32_t fat_volume_next(const struct fat_volume *v, uint32_t cluster)
{
	const uint8_t *table = v->data + v->table;
	uint32_t entry, end;

	switch (v->bits) {
	case 12:
		entry = read_entry12(table, cluster);
		end = 0xff8;
		break;
	case 16:
		entry = read_le16(table + 2 * (size_t)cluster);
		end = 0xfff8;
		break;
	default:
		/* The four upper bits are reserved. */
		entry = read_le32(table + 4 * (size_t)cluster) & 0x0fffffff;
		end = 0x0ffffff8;
	}
	if (entry >= end)
		return 0;
	/* A free entry inside a chain: let _enter() refuse it, as any number out of range. */
	return entry ? entry : 1;
}
