/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_H
#define KILN_ROOTFS_PACKAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../factory/model/lock.h"

struct description;
struct error;
struct store;

/*
 * Resolving and fetching: the one part of the build that needs the network, and it opens no
 * connection itself: apt's own tools do. Everything happens in a private state directory below
 * the cache; the host's dpkg database and apt lists are only read where said.
 */

struct fetch_options {
	const struct description *description;
	const char *lock_path;		/* DIR/kiln.lock */
	const char *mirror;		/* --mirror, else KILN_MIRROR, else NULL: the host's own sources */
	bool update;			/* move the lock although it fits the request, ... */
	const char *const *moving;	/* ... these packages (NULL-terminated); NULL or none: everything */
	bool locked;			/* refuse what would change the lock */
	const char *snapshot;		/* --snapshot: the moment of a dated archive; NULL: what the lock says */
	const char *snapshot_archive;	/* --snapshot-archive, else KILN_SNAPSHOT: where dated archives are, see
					 * snapshot.h; else NULL */
	const char *cache;
};
struct fetch_result {
	struct lock *lock;
	struct lock *before;		/* the lock that was there and is no longer; NULL: none, or the same */
};
void fetch_result_clear(struct fetch_result *result);
#define CLEANUP_FETCH_RESULT __attribute__((cleanup(fetch_result_clear)))

/*
 * A lock for this very request is used as it is; one for another request is moved only as far as that
 * makes necessary; without one the newest of everything is taken. Then what the store lacks is downloaded,
 * several at a time, every digest checked, and the lock written last, if it has changed.
 */
int packages_fetch(const struct fetch_options *options, const struct store *store,
		   struct fetch_result *ret, struct error *err);

/* Was the lock made for what the description asks for now? ERROR_INPUT if not. */
int packages_check_lock(const struct description *description, const struct lock *lock,
			struct error *err);

/* Does each set of the lock fit its index in the store? ERROR_INPUT says what was edited; ERROR_OUTSIDE: an
 * index is missing or damaged: "run kiln fetch". */
int packages_check_indexes(const struct store *store, const struct lock *lock, struct error *err);

/* What a package family has to know: one implementation a family (deb; later rpm). */
enum package_reach {
	REACH_CLOSURE,		/* with everything they depend on, from nothing installed */
	REACH_ALONE,		/* just these, for data taken out of them and never installed */
	REACH_BEHIND,		/* alone, and in place of each what it depends on first: the kernel of a metapackage */
};
struct package_set_request {
	enum lock_set_id set;
	enum package_reach reach;
	const char *const *names;	/* NULL-terminated */
	const char *const *origins;	/* "FILE:LINE" of each name, for messages; NULL: a pattern of Kiln's own */
	const char *const *excluded;	/* NULL-terminated: must not be pulled in */
	const char *arch;		/* the family's own name for it: "amd64" */
};
struct resolve_request {
	const struct locked_repository *repositories;	/* alias, source, suite, components */
	const char *const *roots;	/* the URL of each */
	const char *const *keyrings;	/* a file for each */
	unsigned int repository_count;
	const struct package_set_request *sets;
	unsigned int set_count;
	bool dated;			/* the roots are dated archives, which stay valid for ever */
	/*
	 * A lock whose versions are to be kept as far as they go together with the rest, but for the names in
	 * `moving` (NULL-terminated, or NULL). NULL: the newest of everything. With `store` also versions
	 * count that only the store still has.
	 */
	const struct lock *before;
	const char *const *moving;
	const struct store *store;
	const char *state;		/* private directory, kept between runs */
};
struct package_family {
	const char *name;		/* KIWI's packagemanager: "apt" */
	/* Adds repositories (with release digests and dates) and sets to the lock, packages by name. */
	int (*resolve)(const struct resolve_request *request, struct lock *lock, struct error *err);
	/*
	 * The index object of one set, made from the packages in the store and nothing else, so that a lock
	 * and its packages are enough to make it again after the archive has moved on.
	 */
	int (*index)(const struct store *store, const struct lock_set *set, char ret_sha256[static 65],
		     struct error *err);
};
extern const struct package_family package_family_deb;

/* Takes single files out of a locked .deb in the store into a directory, for data the factory process
 * itself reads (UKI stub, OVMF, the appliance's kernel): members below `prefix` ("usr/share/OVMF/"),
 * leading "./" ignored, written below `directory` with their paths. Nothing is executed; links
 * that leave the directory are refused. */
int deb_extract(const struct store *store, const struct locked_package *package, const char *prefix,
		const char *directory, struct error *err);

/* The appliance's kernel out of LOCK_APPLIANCE, unpacked once below the cache, with modules.dep; not compressed, if
 * QEMU can start it so. All three strings malloc'ed. */
#define PACKAGES_APPLIANCE_KERNEL "appliance-kernel"	/* where, below the cache */
int packages_appliance_kernel(const struct store *store, const struct lock *lock, const char *cache,
			      char **ret_image, char **ret_modules, char **ret_version, struct error *err);
/* OVMF out of a package file in the store (its SHA-256 is in lock and manifest): the .secboot.fd code
 * and the empty variable store that goes with it, unpacked once below the cache; malloc'ed. */
int packages_firmware(const struct store *store, const char *sha256, const char *cache, char **ret_code,
		      char **ret_vars, struct error *err);

#endif
