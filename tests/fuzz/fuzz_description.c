/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "factory/base/error.h"
#include "factory/model/description.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What everybody behind the reader counts on. */
static void check(const struct description *d)
{
	if (!d->name || strchr(d->name, '/') || !d->version || strchr(d->version, '/'))
		abort();
	if (!d->cmdline || strncmp(d->cmdline, "roothash=", 9) == 0 || strstr(d->cmdline, " roothash="))
		abort();
	if (!d->compression)
		abort();
	if (d->image.count == 0 || d->repository_count == 0)
		abort();
	for (size_t i = 0; i < d->image.count; i++)
		if (d->image.items[i].name[0] == '-' || d->image.items[i].line < 1)
			abort();
	for (size_t i = 0; i < d->repository_count; i++)
		if (!d->repositories[i].alias || !*d->repositories[i].path ||
		    strpbrk(d->repositories[i].path, " \n[]"))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct description *d = NULL;
	struct error err = ERROR_INIT;
	int r = description_parse(data, size, "f", NULL, &d, &err);

	if (r == 0)
		check(d);
	else if (d || err.kind != ERROR_INPUT || strncmp(err.message, "f:", 2) != 0)
		abort();
	description_free(d);
	return 0;
}
