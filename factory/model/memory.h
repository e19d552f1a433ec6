/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_MEMORY_H
#define KILN_MODEL_MEMORY_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../base/error.h"

/* Zeroed memory for the model's objects and lists. Lack of it aborts, as in string_copy(). */
static inline void *memory_new(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		error_no_memory();
	return p;
}

/*
 * A new zeroed element at the end of a list of `count` elements of `size` bytes; `list` is the
 * address of the list's pointer. The caller counts it once it is filled so far that it can be freed.
 */
static inline void *memory_append(void *list, size_t count, size_t size)
{
	void *items;

	memcpy(&items, list, sizeof(items));
	items = reallocarray(items, count + 1, size);
	if (!items)
		error_no_memory();
	memcpy(list, &items, sizeof(items));
	return memset((uint8_t *)items + count * size, 0, size);
}

#endif
