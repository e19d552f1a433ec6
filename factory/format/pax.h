/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_PAX_H
#define KILN_FORMAT_PAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * pax records (pax(1), "pax Extended Header"): "LENGTH KEY=VALUE\n", LENGTH in decimal and of the whole
 * record. Values are bytes: an extended attribute may hold any.
 */
struct pax_record {
	const char *key, *value;	/* into the caller's bytes, without NUL */
	size_t key_size, value_size;
};

/* The record at *offset (0 to begin with), which moves past it. 1, 0 at the end, or -EBADMSG. */
int pax_next(const void *data, size_t size, size_t *offset, struct pax_record *ret);
bool pax_is(const struct pax_record *record, const char *key);
/* The value as a decimal number; false when it is none or too large. */
bool pax_number(const struct pax_record *record, uint64_t *ret);

int pax_add(struct buf *out, const char *key, const void *value, size_t size);

#endif
