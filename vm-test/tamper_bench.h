/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_VM_TEST_TAMPER_BENCH_H
#define KILN_VM_TEST_TAMPER_BENCH_H

#include "../factory/base/buf.h"
#include "../factory/base/io.h"
#include "../factory/format/varstore.h"
#include "boot_options.h"
#include "observe.h"
#include "tamper_input.h"

/* Where one row is tried: a copy of the disk, and a machine, both to be changed. For the tamper_*.c alone. */

#define TAMPER_VARIABLES_MAX 8

struct tamper_bench {
	const struct tamper_input *in;
	bool secure_boot;
	struct scratch scratch;
	char *disk;			/* the copy */
	struct buf image;		/* its boot file */
	char *boot_path;		/* "::/EFI/BOOT/BOOTX64.EFI", as mtools have it */
	char *volume;			/* "DISK@@OFFSET" of the ESP, likewise */
	struct boot_options options;
	struct varstore_variable variables[TAMPER_VARIABLES_MAX];
	struct buf texts;		/* what values and options point to */
};
int tamper_bench_open(const struct tamper_input *in, bool secure_boot, struct tamper_bench *ret, struct error *err);
void tamper_bench_close(struct tamper_bench *b);
#define CLEANUP_TAMPER_BENCH __attribute__((cleanup(tamper_bench_close)))

/* Partitions in the order in which Kiln lays them out (stages/disk.c), and where they lie, in bytes. */
enum tamper_partition { TAMPER_ESP, TAMPER_ROOT, TAMPER_VERITY };
uint64_t tamper_partition_offset(const struct tamper_bench *b, enum tamper_partition which);
uint64_t tamper_partition_size(const struct tamper_bench *b, enum tamper_partition which);

/* The lowest bit of a byte of the disk is turned over. */
int tamper_flip(struct tamper_bench *b, uint64_t offset, struct error *err);
/* A file into the ESP, in place of an earlier one; directories are made. `path` as "::/loader/x". */
int tamper_put(struct tamper_bench *b, const char *path, const void *data, size_t size, struct error *err);
int tamper_make_directory(struct tamper_bench *b, const char *path, struct error *err);
/* In the boot file: the section's first byte at or after `from` bytes becomes `with`; and it is put into the ESP. */
int tamper_section(struct tamper_bench *b, const char *name, size_t from, uint8_t with, struct error *err);
/* Another variable for the firmware; the value is the caller's as long as the bench is open. */
void tamper_variable(struct tamper_bench *b, const char *name, const uint8_t guid[static 16], const void *data, size_t size);
void tamper_variables(struct tamper_bench *b, const struct tamper_variables *set);

/* ---- the rows */

struct tamper_expectation {
	enum boot_end end;
	uint32_t different;		/* of an end BOOT_ANSWERED */
	bool check_pcrs;		/* ... or of another end, too */
};

struct tamper_row {
	const char *name, *change;	/* "unsigned-uki", "the boot file's signature taken away" */
	bool quick;
	bool off_applies, on_applies;
	struct tamper_expectation off, on;
	int (*apply)(struct tamper_bench *b, struct error *err);
	const char *fetch;		/* a page that must then not be answered; NULL: none */
};
extern const struct tamper_row tamper_rows[];
extern const size_t tamper_row_count;

#endif
