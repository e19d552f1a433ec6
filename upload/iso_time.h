/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_ISO_TIME_H
#define KILN_UPLOAD_ISO_TIME_H

#include <stdint.h>

/*
 * "2026-01-02T03:04:05Z" (RFC 3339), with a fraction (dropped), with an offset, or with "UTC" in place of "Z" as old
 * files of the AWS CLI have it; in seconds since 1970. -EINVAL for anything else.
 */
int iso_time_parse(const char *text, int64_t *ret);
/* The other way: "2026-01-02T03:04:05Z", malloc'ed. */
char *iso_time_text(int64_t seconds);

#endif
