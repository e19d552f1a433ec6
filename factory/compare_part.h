/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_COMPARE_PART_H
#define KILN_FACTORY_COMPARE_PART_H

#include <stddef.h>
#include <stdint.h>

#include "compare_image.h"
#include "comparison.h"
#include "format/gpt.h"

struct error;

/* Inside compare*.c: one function for each part of an image; each adds what it finds. */

/* A disk's table, as bytes and read. */
struct compare_table {
	uint8_t head[GPT_HEAD_SIZE];
	struct gpt gpt;
};

/* `size` bytes of an open file. */
struct compare_range {
	int fd;
	uint64_t offset, size;
	const char *name;
};

#define COMPARE_SAME UINT64_MAX
/* Where in the ranges the first difference lies (the shorter one's end, if nothing before differs), or
 * COMPARE_SAME. What is a hole in both is not read. */
int compare_ranges(const struct compare_range *a, const struct compare_range *b, uint64_t *ret,
		   struct error *err);
/* Of bytes in memory. */
struct compare_span {
	const uint8_t *data;
	size_t size;
};
uint64_t compare_bytes(const struct compare_span *a, const struct compare_span *b);

/* compare_disk.c */
int compare_disks(const struct compare_image *a, const struct compare_image *b, struct comparison *ret,
		  struct error *err);
/* compare_table.c */
void compare_tables(const struct compare_table *a, const struct compare_table *b,
		    struct comparison *ret);
/* compare_esp.c. Neither this nor the next can fail: what cannot be taken apart is compared as bytes. */
void compare_esps(const struct compare_span *a, const struct compare_span *b, struct comparison *ret);
/* compare_boot_file.c: PE files, taken apart into sections. `path` is where they lie in the ESP. */
void compare_boot_files(const char *path, const struct compare_span *a, const struct compare_span *b,
			struct comparison *ret);
/* compare_results.c: the files beside the disks; before and after these. */
int compare_inputs(const struct compare_image *a, const struct compare_image *b, struct comparison *ret,
		   struct error *err);
int compare_predictions(const struct compare_image *a, const struct compare_image *b,
			struct comparison *ret, struct error *err);

#endif
