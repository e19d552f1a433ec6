/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_SETTINGS_H
#define KILN_REHEARSAL_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

struct error;

/* README.md has their meaning. */
struct settings {
	uint64_t page_size, session_seconds, clock_ahead, clock_behind;
};
#define SETTINGS_INIT { .session_seconds = 3600 }

/* Those of the JSON text replace what is there; on failure none. ERROR_INPUT. Fuzzed. */
int settings_parse(const char *text, size_t size, struct settings *ret, struct error *err);

#endif
