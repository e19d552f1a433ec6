/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_DISK_H
#define KILN_UPLOAD_DISK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "../factory/base/buf.h"
#include "block_index.h"

struct error;
struct manifest;

/* A finished disk with what lies beside it: what is uploaded. */
struct disk {
	const char *path;		/* the caller's */
	char *manifest_path;
	struct manifest *manifest;
	int fd;
	struct stat before;		/* when it was opened */
	char data_sha256[65];		/* data digest */
	struct block_index index;
	uint32_t gib;			/* of the smallest volume that takes it */
	bool secure_boot;		/* it was built with keys, and will start with Secure Boot on */
	bool proven;			/* boot-proof.json beside it is its proof */
	struct buf uefi_data;		/* what RegisterImage is given; empty without keys */
};
#define DISK_INIT { .fd = -1, .uefi_data = BUF_INIT(1 << 20) }
void disk_close(struct disk *d);
#define CLEANUP_DISK __attribute__((cleanup(disk_close)))

struct disk_options {
	const char *manifest;		/* NULL: manifest.json beside the disk */
	const char *uefi_data;		/* NULL: uefi-data.aws beside the disk, if it has keys */
	bool unproven;			/* goes without a proof */
};

/*
 * Opens a disk and reads all of it that is no hole. Its bytes must be those that the manifest describes (ERROR_INPUT), and those
 * that boot-proof.json proves, in the mode in which EC2 will start it (ERROR_VERDICT says what is missing). Of a disk that was built
 * with keys the variable store must hold just these keys.
 */
int disk_open(const char *path, const struct disk_options *options, struct disk *ret, struct error *err);
/* All that needs no network and no whole reading: for verbs that only want to know which disk it is. */
int disk_identify(const char *path, const char *manifest, struct disk *ret, struct error *err);

/* A block, filled up with zeros behind the end of the disk; BLOCK_SIZE bytes. */
int disk_read(const struct disk *d, uint32_t block, uint8_t *ret, struct error *err);
/* ERROR_INPUT: it has been written since disk_open(). */
int disk_check_unchanged(const struct disk *d, struct error *err);

#endif
