/* SPDX-License-Identifier: Apache-2.0 */
#include "rate.h"

#include <inttypes.h>
#include <stdio.h>

#include "../factory/base/log.h"

#define MIB ((double)(1 << 20))
/* Before that a rate says little. */
#define SETTLES_MS 500

void rate_init(struct rate *r, uint64_t total, int64_t now)
{
	*r = (struct rate){ .total = total, .begun = now };
}

void rate_text(const struct rate *r, uint64_t done, int64_t now, char ret[static RATE_TEXT_SIZE])
{
	double seconds = (double)(now - r->begun) / 1000;
	double rate = seconds > 0 ? (double)done / seconds : 0;
	int n = snprintf(ret, RATE_TEXT_SIZE, "of %.0f MiB", (double)r->total / MIB);

	if (now - r->begun < SETTLES_MS || rate <= 0)
		return;
	(void)snprintf(ret + n, RATE_TEXT_SIZE - (size_t)n, ", %.1f MiB/s, %.0f s left", rate / MIB,
		       (double)(r->total - done) / rate);
}

void rate_show(const struct rate *r, uint64_t done, int64_t now)
{
	char text[RATE_TEXT_SIZE];

	rate_text(r, done, now, text);
	log_step_update(done >> 20, 0, text);
}
