/* SPDX-License-Identifier: Apache-2.0 */
#include "library.h"

#include <dlfcn.h>

#include "error.h"

int library_load(const char *file, const char *package, const struct library_function *functions, size_t count,
		 struct error *err)
{
	/* Never closed: such libraries leave threads, handlers and thread-local data behind. */
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	void *address;

	if (!library)
		return error_outside(err, "cannot load %s (%s): install %s", file, dlerror(), package);
	for (size_t i = 0; i < count; i++) {
		address = dlsym(library, functions[i].name);
		if (!address)
			return error_outside(err, "%s is too old: it has no function %s (%s)", file,
					     functions[i].name, package);
		*(void **)functions[i].pointer = address;	/* POSIX: dlsym(), "Application usage" */
	}
	return 0;
}
