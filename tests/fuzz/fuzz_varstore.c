/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "factory/base/cleanup.h"
#include "factory/base/error.h"
#include "factory/format/varstore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct image {
	const uint8_t *data;
	size_t size, count;
};

static int lies_inside(const struct varstore_variable *v, void *arg)
{
	struct image *i = arg;

	if (v->data < i->data || v->size > i->size || (size_t)(v->data - i->data) > i->size - v->size ||
	    strlen(v->name) > VARSTORE_NAME_MAX)
		abort();
	i->count++;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct varstore_variable one = { .name = "PK", .data = (const uint8_t *)"12345", .size = 5 };
	CLEANUP_FREE uint8_t *copy = malloc(size + 1);
	struct image i = { .data = copy, .size = size };
	struct error err = ERROR_INIT;
	size_t before;
	int r;

	if (!copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	r = varstore_walk(copy, size, lies_inside, &i, &err);
	if ((r < 0) != (err.kind == ERROR_INPUT))
		abort();
	before = i.count;
	i.count = 0;
	if (varstore_add(copy, size, &one, &err) == 0 &&
	    (varstore_walk(copy, size, lies_inside, &i, &err) != 0 || i.count != before + 1))
		abort();
	return 0;
}
