/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_STORE_H
#define KILN_ROOTFS_PACKAGES_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct lock;

/*
 * The content-addressed store: CACHE/store/ab/abcdef... , one file per object, named by the
 * SHA-256 of its bytes, mode 0444, never changed. Shared by all images of a user. An object's
 * time of writing is when it was last of use.
 *
 * Whoever has it open holds a shared flock() on its directory, which ends with its owner.
 */
struct store;
int store_open(const char *cache, struct store **ret, struct error *err);
/* For removing objects: waits until nobody else has the store open, and keeps others waiting. */
int store_open_alone(const char *cache, struct store **ret, struct error *err);
void store_free(struct store *s);
void store_freep(struct store **s);
#define CLEANUP_STORE __attribute__((cleanup(store_freep)))

const char *store_directory(const struct store *s);
/* Is this path below the store's directory ("ab/abcdef...") where an object belongs? */
bool store_is_object(const char *below, char ret_sha256[static 65]);
/* Where an object lies, whether or not it is there; malloc'ed. */
char *store_path(const struct store *s, const char *sha256);
bool store_has(const struct store *s, const char *sha256);
/* Moves a file (same file system) or copies bytes in, after checking the digest: ERROR_OUTSIDE
 * "NAME: its SHA-256 is X, the lock says Y" and nothing is kept otherwise. */
int store_adopt(const struct store *s, const char *path, const char *sha256, const char *name,
		struct error *err);
int store_add_bytes(const struct store *s, const void *data, size_t size, char ret_sha256[static 65],
		    struct error *err);
/* Moves in a file of the store's own file system, whose bytes the caller has checked and brought
 * to the disk. */
int store_place(const struct store *s, const char *path, const char *sha256, struct error *err);
/* The path of an object whose bytes have just been checked against its name (malloc'ed). A wrong or
 * missing one is an error that says which package and "run kiln fetch". Counts as a use. */
int store_verified(const struct store *s, const char *sha256, const char *name, char **ret,
		   struct error *err);

#endif
