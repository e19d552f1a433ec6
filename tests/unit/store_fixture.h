/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_TESTS_UNIT_STORE_FIXTURE_H
#define KILN_TESTS_UNIT_STORE_FIXTURE_H

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "factory/model/lock.h"
#include "factory/model/memory.h"
#include "rootfs/packages/image_lock.h"
#include "rootfs/packages/store.h"
#include "tests/unit/tap.h"

/* A store with the packages "one" and "two", their index, and an object that no lock names. */
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define ONE "the package one"
#define TWO "the package two, which is longer"
#define OTHER "left over"

struct store_fixture {
	struct store *store;
	char one[65], two[65], index[65], other[65];
	struct image_locks locks;	/* of the image "test", with both packages */
};

__attribute__((unused))
static void fixture_put(const struct store *store, const char *text, char ret_sha256[static 65])
{
	struct error err = ERROR_INIT;

	need(store_add_bytes(store, text, strlen(text), ret_sha256, &err) == 0, "store: %s", err.message);
}

__attribute__((unused))
static void fixture_package(struct lock_set *set, const char *name, const char *sha256, size_t size)
{
	struct locked_package *package = memory_append(&set->packages, set->count, sizeof(*package));

	*package = (struct locked_package){
		.name = string_copy(name), .version = string_copy("1.0"),
		.architecture = string_copy("amd64"), .repository = string_copy("r"),
		.path = string_copy("pool/p.deb"), .size = size,
	};
	memcpy(package->sha256, sha256, 65);
	set->count++;
}

/* As a file beside which the lock is read again, for its text. */
__attribute__((unused))
static void fixture_lock(struct store_fixture *f, const char *path)
{
	CLEANUP_LOCK struct lock *lock = lock_new();
	struct locked_repository *repository = memory_append(&lock->repositories, 0, sizeof(*repository));
	struct error err = ERROR_INIT;

	*repository = (struct locked_repository){
		.alias = string_copy("r"), .source = string_copy("distro:debian"),
		.suite = string_copy("s"), .components = string_copy("main"),
		.release_sha256 = ZEROS, .keyring_sha256 = ZEROS, .date = 1,
	};
	lock->repository_count = 1;
	lock->epoch = 1;
	memcpy(lock->request_sha256, ZEROS, 65);
	memcpy(lock->sets[LOCK_IMAGE].index_sha256, f->index, 65);
	fixture_package(&lock->sets[LOCK_IMAGE], "one", f->one, strlen(ONE));
	fixture_package(&lock->sets[LOCK_IMAGE], "two", f->two, strlen(TWO));
	need(lock_write(lock, path, &err) == 0, "lock: %s", err.message);
	need(image_locks_add(&f->locks, path, &err) == 0, "lock: %s", err.message);
	free(f->locks.items[0].name);
	f->locks.items[0].name = string_copy("test");
}

/* CACHE/store and CACHE/kiln.lock. */
__attribute__((unused))
static void fixture_make(struct store_fixture *f, const char *cache)
{
	CLEANUP_FREE char *index = NULL, *path = path_join(cache, "kiln.lock");
	struct error err = ERROR_INIT;

	*f = (struct store_fixture){ .store = NULL };
	need(store_open(cache, &f->store, &err) == 0, "store: %s", err.message);
	fixture_put(f->store, ONE, f->one);
	fixture_put(f->store, TWO, f->two);
	fixture_put(f->store, OTHER, f->other);
	index = string_printf("Package: one\nVersion: 1.0\nArchitecture: amd64\nSHA256: %s\n\n"
			      "Package: two\nVersion: 1.0\nArchitecture: amd64\nSHA256: %s\n\n",
			      f->one, f->two);
	fixture_put(f->store, index, f->index);
	fixture_lock(f, path);
}

__attribute__((unused))
static void fixture_free(struct store_fixture *f)
{
	store_free(f->store);
	image_locks_free(&f->locks);
}

/* Bytes in an object's place, whatever they are. */
__attribute__((unused))
static void fixture_damage(const struct store_fixture *f, const char *sha256, const char *text)
{
	CLEANUP_FREE char *path = store_path(f->store, sha256);
	struct error err = ERROR_INIT;

	need(io_write_file(path, text, strlen(text), 0444, &err) == 0, "damage: %s", err.message);
}

#endif
