/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_STORE_EXPORT_H
#define KILN_ROOTFS_STORE_EXPORT_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct image_locks;
struct store;

struct store_export_result {
	size_t count;		/* of objects */
	uint64_t size;		/* bytes of the archive */
};

/*
 * Writes the locks and all they need into a new archive (store_archive.h) at `path`, which
 * appears whole or not at all. The same locks are the same bytes. A missing or damaged object is
 * named.
 */
int store_export(const struct store *s, const struct image_locks *locks, const char *path,
		 struct store_export_result *ret, struct error *err);

#endif
