/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_KEYS_NEW_FILE_H
#define KILN_KEYS_NEW_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "../factory/base/io.h"

struct error;

/* A file that was not there before, flushed; with the mode from its first moment on. ERROR_INPUT when there is one. */
int new_file_write(const char *path, const void *data, size_t size, mode_t mode, struct error *err);

/*
 * A directory that was not there before, or was empty, and appears whole: what is written to `path` gets its name with
 * new_directory_finish(), and goes without. ERROR_INPUT when there is one with something in it.
 */
struct new_directory {
	struct scratch scratch;
	char *path, *target;
};
#define NEW_DIRECTORY_INIT { .scratch = SCRATCH_INIT }
int new_directory_begin(const char *target, mode_t mode, struct new_directory *ret, struct error *err);
int new_directory_finish(struct new_directory *d, struct error *err);
void new_directory_free(struct new_directory *d);
#define CLEANUP_NEW_DIRECTORY __attribute__((cleanup(new_directory_free)))

#endif
