/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "factory/base/error.h"
#include "factory/model/lock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What becomes a file's name or place must not lead elsewhere. */
static void check_package(const struct locked_package *p)
{
	if (p->path[0] == '/' || strncmp(p->path, "../", 3) == 0 || strstr(p->path, "/../"))
		abort();
	if (strchr(p->name, '/') || p->name[0] == '-')
		abort();
	if (strlen(p->sha256) != 64 || strpbrk(p->sha256, "/."))
		abort();
}

static void check(const struct lock *lock)
{
	char digest[65];

	for (int s = 0; s < LOCK_SETS; s++) {
		const struct lock_set *set = &lock->sets[s];

		for (size_t i = 0; i < set->count; i++) {
			check_package(&set->packages[i]);
			if (!lock_find(lock, s, set->packages[i].name))
				abort();
		}
		lock_set_digest(lock, s, digest);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lock *lock = NULL;
	struct error err = ERROR_INIT;
	int r = lock_parse(data, size, "f", &lock, &err);

	if (r == 0)
		check(lock);
	else if (lock || err.kind != ERROR_INPUT || strncmp(err.message, "f:", 2) != 0)
		abort();
	lock_free(lock);
	return 0;
}
