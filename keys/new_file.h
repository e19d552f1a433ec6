/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_KEYS_NEW_FILE_H
#define KILN_KEYS_NEW_FILE_H

#include <stddef.h>
#include <sys/types.h>

struct error;

/* A file that was not there before, flushed; with the mode from its first moment on. ERROR_INPUT when there is one. */
int new_file_write(const char *path, const void *data, size_t size, mode_t mode, struct error *err);

#endif
