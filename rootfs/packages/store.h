/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_STORE_H
#define KILN_ROOTFS_PACKAGES_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct lock;

/*
 * The content-addressed store: CACHE/store/ab/abcdef... , one file per object, named by the SHA-256 of
 * its bytes, mode 0444, never changed. Shared by all images of a user.
 */
struct store;
int store_open(const char *cache, struct store **ret, struct error *err);
void store_free(struct store *s);
void store_freep(struct store **s);
#define CLEANUP_STORE __attribute__((cleanup(store_freep)))

/* Where an object lies, whether or not it is there; malloc'ed. */
char *store_path(const struct store *s, const char *sha256);
bool store_has(const struct store *s, const char *sha256);
/* Moves a file (same file system) or copies bytes in, after checking the digest: ERROR_OUTSIDE
 * "NAME: its SHA-256 is X, the lock says Y" and nothing is kept otherwise. */
int store_adopt(const struct store *s, const char *path, const char *sha256, const char *name,
		struct error *err);
int store_add_bytes(const struct store *s, const void *data, size_t size, char ret_sha256[static 65],
		    struct error *err);
/* The path of an object whose bytes have just been checked against its name (malloc'ed). A wrong or
 * missing one is an error that says which package and "run kiln fetch". */
int store_verified(const struct store *s, const char *sha256, const char *name, char **ret,
		   struct error *err);

#endif
