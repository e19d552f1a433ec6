/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_SHELL_H
#define KILN_ROOTFS_SHELL_H

#include "../factory/base/buf.h"

/* Appends `text` as one word of the POSIX shell, in single quotes, whatever bytes it is made of. */
int shell_quote(struct buf *b, const char *text);
/* Appends "NAME='value'\n". `name` is the program's own and a valid one. */
int shell_assign(struct buf *b, const char *name, const char *value);

#endif
