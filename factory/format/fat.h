/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_FAT_H
#define KILN_FORMAT_FAT_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct error;

/*
 * A FAT12/16/32 volume, read only, from bytes (Microsoft FAT specification 1.03; VFAT long names).
 * Enough to take a file out of an ESP without mounting anything. Every cluster chain is bounded by
 * the number of clusters, so a loop ends as an error.
 */

struct fat_entry {
	char path[512];			/* "\EFI\BOOT\BOOTX64.EFI" */
	uint32_t size;			/* bytes; 0 for a directory */
	uint8_t directory;
};

/* Appends the file's contents to `ret` (its max bounds the size). Names compare without case.
 * ERROR_INPUT: no FAT, no such file, a chain that leaves the volume. */
int fat_read_file(const uint8_t *volume, size_t size, const char *path, struct buf *ret, struct error *err);

/* Calls `each` for the stretches of the volume in which the file's contents lie, in their order. Non-zero stops and
 * becomes the result. */
typedef int (*fat_piece)(uint64_t offset, size_t size, void *arg);
int fat_find_file(const uint8_t *volume, size_t size, const char *path, fat_piece each, void *arg, struct error *err);

/* Calls `each` for every file and directory, depth first, in directory order; depth at most 16.
 * Non-zero from `each` stops the walk and becomes the result. */
int fat_walk(const uint8_t *volume, size_t size, int (*each)(const struct fat_entry *e, void *arg),
	     void *arg, struct error *err);

#endif
