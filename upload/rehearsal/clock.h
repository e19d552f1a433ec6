/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_CLOCK_H
#define KILN_REHEARSAL_CLOCK_H

#include <stdint.h>

#define CLOCK_TEXT_SIZE 32

/* Milliseconds of the epoch, by this machine's clock. */
int64_t clock_now_ms(void);
/* Seconds of the epoch as 2026-01-02T03:04:05.000Z, which EC2 writes, and as 2026-01-02T03:04:05Z. */
void clock_iso(int64_t seconds, char ret[static CLOCK_TEXT_SIZE]);
void clock_iso_short(int64_t seconds, char ret[static CLOCK_TEXT_SIZE]);
/* As HTTP's Date header has it (RFC 9110, 5.6.7). */
void clock_http(int64_t seconds, char ret[static CLOCK_TEXT_SIZE]);
/* 20260102T030405Z as seconds of the epoch; -EINVAL. */
int clock_parse(const char *text, int64_t *ret);

#endif
