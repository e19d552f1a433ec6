/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_STORE_IMPORT_H
#define KILN_ROOTFS_STORE_IMPORT_H

#include <stdint.h>

#include "packages/image_lock.h"

struct store;

struct store_import_result {
	struct image_locks locks;	/* that the archive holds; `path` where one was put in its place, else NULL */
	size_t count, fresh;		/* objects; those of them that the store lacked */
	uint64_t size;			/* bytes of all */
};

/*
 * Takes in an archive that store_export() has written: the objects into the store, and for each
 * of `directories` (descriptions, NULL-terminated) the image's lock into kiln.lock beside the
 * description.
 *
 * The archive is trusted with nothing: an object must be one that a lock of the archive names and
 * have its digest and size, and only when all are there does anything enter the store.
 * ERROR_INPUT names what is wrong. A lock must fit the description, and another one that lies
 * beside it is not replaced.
 */
int store_import(const struct store *s, const char *path, char *const *directories,
		 struct store_import_result *ret, struct error *err);
void store_import_result_free(struct store_import_result *result);
#define CLEANUP_STORE_IMPORT_RESULT __attribute__((cleanup(store_import_result_free)))

#endif
