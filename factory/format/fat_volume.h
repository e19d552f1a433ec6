/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_FAT_VOLUME_H
#define KILN_FORMAT_FAT_VOLUME_H

#include <stddef.h>
#include <stdint.h>

struct error;

/*
 * The lower half of fat.h: where things lie in a volume, and the allocation table. Clusters are
 * numbered as on the disk, from 2.
 */
struct fat_volume {
	const uint8_t *data;
	unsigned int bits;		/* of an entry of the table: 12, 16 or 32 */
	size_t table;			/* offset of the first allocation table */
	size_t root, root_size;		/* the fixed root directory of FAT12 and FAT16 */
	uint32_t root_cluster;		/* FAT32; 0 otherwise */
	size_t clusters_offset, cluster_size;
	uint32_t clusters;
	uint8_t *entered;		/* one bit a cluster */
};

/* Borrows `data`. */
int fat_volume_open(const uint8_t *data, size_t size, struct fat_volume *ret, struct error *err);
void fat_volume_close(struct fat_volume *v);
#define CLEANUP_FAT_VOLUME __attribute__((cleanup(fat_volume_close)))

/*
 * The bytes of a cluster that a chain has come to. A cluster belongs to one chain and once, so the
 * second visit is an error: that is what ends loops, of chains and of directories.
 */
int fat_volume_enter(struct fat_volume *v, uint32_t cluster, const uint8_t **ret, struct error *err);
/* What follows an entered cluster: 0 at the chain's end, else a number that _enter() will check. */
uint32_t fat_volume_next(const struct fat_volume *v, uint32_t cluster);

#endif
