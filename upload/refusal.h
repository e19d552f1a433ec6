/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_REFUSAL_H
#define KILN_UPLOAD_REFUSAL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Is what EBS has refused for good worth another try? A snapshot that was started a moment ago may not be known to all of
 * EBS yet (ResourceNotFoundException, SNAPSHOT_NOT_FOUND; seen for up to a minute), and a block that came in too slowly
 * (ValidationException, WRITE_REQUEST_TIMEOUT) may come in faster. Pure. `age_ms`: since StartSnapshot answered.
 */
bool refusal_may_pass(const char *code, const char *reason, int64_t age_ms);
/* The bytes are not those of the checksum that came with them. */
bool refusal_of_checksum(const char *code, const char *reason, const char *message);

#endif
