/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_INIT_INIT_H
#define KILN_INIT_INIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The initrd's /init: from the kernel's start to the verified root and no further. Compiled alone
 * and statically, for the target, so it knows libc and the two formats it shares with the factory.
 *
 * There is nobody to hand an error to: what cannot be done ends in die(), a kernel panic. There is
 * no shell to fall into, no password to ask for and nothing on the command line that changes what
 * runs; that is the whole point of an image that shows what it is by what was measured.
 */

/* One line to the kernel's log. */
void report(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The last line, to the log and the console; then the kernel panics, because PID 1 has ended. */
_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A small text file of the initrd, /proc or /sys, without its last newline. False if it cannot be
 * read, or holds `size` bytes or more. */
bool text_read(const char *path, char *ret, size_t size);

/* Loads what /modules.load lists: paths, one a line, in load order. */
void modules_load(void);

#define ROOTHASH_SIZE 32

/* `roothash=` on the command line, and the partition ids that the Discoverable Partitions
 * Specification derives from it, in GPT's byte order. */
struct roothash {
	uint8_t bytes[ROOTHASH_SIZE];
	uint8_t data_id[16], tree_id[16];
};
/* NULL, or why not. */
const char *roothash_parse(const char *command_line, struct roothash *ret);
#define PARTUUID_TEXT_SIZE 37
void partuuid_format(const uint8_t id[static 16], char ret[static PARTUUID_TEXT_SIZE]);
/* 2 * size + 1 characters. */
void hex_format(const uint8_t *data, size_t size, char *ret);

#define BLOCK_NAME_SIZE 64

struct partition {
	char name[BLOCK_NAME_SIZE];	/* "nvme0n1p2" */
	char number[24];		/* "259:2", as device mapper takes it */
	uint64_t size;			/* bytes */
};
/* Waits until one disk carries both partitions; bounded. */
void partitions_wait(const struct roothash *roothash, struct partition *ret_data,
		     struct partition *ret_tree);

/* Makes the verified device. `ret` is its path. */
void verity_open(const struct roothash *roothash, const struct partition *data,
		 const struct partition *tree, char ret[static BLOCK_NAME_SIZE]);

/* Mounts the verified device, with a layer in memory over it. */
void root_mount(const char *device);
/* Makes that the root, frees the initramfs and becomes /sbin/init. */
_Noreturn void root_switch(void);

#endif
