/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_APPLIANCE_KERNEL_H
#define KILN_FACTORY_APPLIANCE_KERNEL_H

struct error;
struct lock;
struct store;

/* A kernel for an appliance that is no build's: of a lock, or any that has been unpacked in the cache before. */
struct appliance_kernel {
	char *image, *modules, *version;	/* as guest.h has it; malloc'ed */
};

/* `lock` may be NULL: then image stays NULL when there is none. */
int appliance_kernel_find(const struct store *store, const struct lock *lock, const char *cache,
			  struct appliance_kernel *ret, struct error *err);
void appliance_kernel_clear(struct appliance_kernel *k);
#define CLEANUP_APPLIANCE_KERNEL __attribute__((cleanup(appliance_kernel_clear)))

#endif
