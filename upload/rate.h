/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_RATE_H
#define KILN_UPLOAD_RATE_H

#include <stddef.h>
#include <stdint.h>

/* How fast bytes go, and how long the rest will take. */
struct rate {
	uint64_t total;			/* bytes */
	int64_t begun;			/* ms */
};

void rate_init(struct rate *r, uint64_t total, int64_t now);
/* "of 77 MiB, 12.5 MiB/s, 4 s left": the part of the progress line behind the number. Pure. */
#define RATE_TEXT_SIZE 96
void rate_text(const struct rate *r, uint64_t done, int64_t now, char ret[static RATE_TEXT_SIZE]);
/* Redraws the open step's progress. */
void rate_show(const struct rate *r, uint64_t done, int64_t now);

#endif
