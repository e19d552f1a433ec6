/* SPDX-License-Identifier: Apache-2.0 */
#include "guestfs_library.h"

#include "../factory/base/cleanup.h"
#include "../factory/base/library.h"

int guestfs_library_load(const struct guestfs_library **ret, struct error *err)
{
	static struct guestfs_library library;
	const struct library_function functions[] = {
#define FUNCTION(name) { "guestfs_" #name, &library.name },
		GUESTFS_FUNCTIONS(FUNCTION)
#undef FUNCTION
	};
	int r = library_load("libguestfs.so.0", "libguestfs", functions, ARRAY_SIZE(functions), err);

	if (r == 0)
		*ret = &library;
	return r;
}
