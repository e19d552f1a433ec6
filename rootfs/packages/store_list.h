/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_STORE_LIST_H
#define KILN_ROOTFS_PACKAGES_STORE_LIST_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct error;
struct store;

/* What lies in the store, whoever needs it. */
struct store_object {
	char sha256[65];	/* as its place says; nobody has looked at the bytes */
	char *name;		/* "bash 5.2.15-2 (amd64)" where an index in the store tells it; NULL: unknown */
	uint64_t size;		/* bytes */
	struct timespec used;	/* last; of a package also when an index that names it was */
};
struct store_paths {
	char **items;
	size_t count;
};
struct store_list {
	struct store_object *objects;	/* by digest */
	size_t count;
	struct store_paths strays;	/* what is no object and does not belong there */
	struct store_paths remains;	/* half-written: the writer was killed, or is at work */
};
#define STORE_LIST_INIT { .objects = NULL }

int store_list_read(const struct store *s, struct store_list *ret, struct error *err);
void store_list_free(struct store_list *list);
#define CLEANUP_STORE_LIST __attribute__((cleanup(store_list_free)))

#endif
