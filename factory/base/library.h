/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_LIBRARY_H
#define KILN_BASE_LIBRARY_H

#include <stddef.h>

struct error;

/*
 * Shared libraries that most verbs can do without are loaded by the one wrapper that uses them, when it does:
 * what the linker were told to load would cost every start of the command, and be missing on hosts
 * that only measure and boot. It stays loaded.
 */
struct library_function {
	const char *name;
	void *pointer;		/* address of the function pointer that is to be set */
};

/* Sets all pointers or, on failure, perhaps some of them. `package` is what to install where it is missing. */
int library_load(const char *file, const char *package, const struct library_function *functions, size_t count,
		 struct error *err);

#endif
