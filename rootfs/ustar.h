/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_USTAR_H
#define KILN_ROOTFS_USTAR_H

#include <stddef.h>
#include <sys/types.h>

struct buf;
struct error;

/*
 * What stages hand each other: a ustar archive of regular files in the order given, owner 0, time 0, so that
 * the same files are the same bytes. `path` is a new file.
 */
struct ustar;
int ustar_create(const char *path, struct ustar **ret, struct error *err);
int ustar_add(struct ustar *u, const char *name, mode_t mode, const void *data, size_t size,
	      struct error *err);
int ustar_finish(struct ustar *u, struct error *err);	/* then still free it */
void ustar_free(struct ustar *u);
void ustar_freep(struct ustar **u);
#define CLEANUP_USTAR __attribute__((cleanup(ustar_freep)))

#endif
