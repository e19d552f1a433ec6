/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "factory/base/error.h"
#include "factory/format/esl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct value {
	const uint8_t *data;
	size_t size, entries;
};

static int lies_inside(const struct esl_entry *e, void *arg)
{
	struct value *v = arg;
	size_t at = (size_t)(e->owner - v->data);

	if (e->owner < v->data || e->data != e->owner + 16 || e->size == 0 || at + 16 > v->size ||
	    e->size > v->size - at - 16)
		abort();
	v->entries++;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct value v = { .data = data, .size = size };
	struct error err = ERROR_INIT;
	int r = esl_walk(data, size, lies_inside, &v, &err);

	if ((r < 0) != (err.kind == ERROR_INPUT) || v.entries > size / 17)
		abort();
	return 0;
}
