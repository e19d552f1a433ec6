/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance_kernel.h"

#include <stdlib.h>
#include <string.h>

#include "../rootfs/packages/packages.h"
#include "doctor.h"
#include "model/lock.h"

void appliance_kernel_clear(struct appliance_kernel *k)
{
	free(k->image);
	free(k->modules);
	free(k->version);
	*k = (struct appliance_kernel) { .image = NULL };
}

/* A lock that names nothing but a kernel which has been unpacked before: the store is not asked for it. */
static int find_unpacked(const struct store *store, const char *cache, const char *sha256,
			 struct appliance_kernel *ret, struct error *err)
{
	struct locked_package package = { .name = (char *)"of the cache" };
	struct lock lock = { .sets[LOCK_APPLIANCE] = { .packages = &package, .count = 1 } };

	memcpy(package.sha256, sha256, sizeof(package.sha256));
	return packages_appliance_kernel(store, &lock, cache, &ret->image, &ret->modules, &ret->version, err);
}

int appliance_kernel_find(const struct store *store, const struct lock *lock, const char *cache,
			  struct appliance_kernel *ret, struct error *err)
{
	CLEANUP_NAMES char **unpacked = doctor_unpacked(cache, PACKAGES_APPLIANCE_KERNEL);

	if (lock)
		return packages_appliance_kernel(store, lock, cache, &ret->image, &ret->modules, &ret->version, err);
	return unpacked[0] ? find_unpacked(store, cache, unpacked[0], ret, err) : 0;
}
