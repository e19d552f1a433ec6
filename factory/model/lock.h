/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_LOCK_H
#define KILN_MODEL_LOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

/*
 * kiln.lock: every package that goes into or near an image, by digest. Sets, not one list: only
 * LOCK_IMAGE enters the image; the others are tools and data of the build, locked all the same.
 */

enum lock_set_id {
	LOCK_IMAGE,		/* installed in the image */
	LOCK_BOOT,		/* the target's own boot files, taken out of packages not installed: the UKI stub */
	LOCK_SYSROOT,		/* headers and libraries that programs for the image are compiled against */
	LOCK_BUILDER,		/* the builder root's tools */
	LOCK_APPLIANCE,		/* the appliance's kernel */
	LOCK_FIRMWARE,		/* OVMF for the boot proof; never in the image */
};
#define LOCK_SETS 6
extern const char *const lock_set_names[LOCK_SETS];	/* "image", "boot", ... */

struct locked_package {
	char *name, *version, *architecture;
	char *repository;		/* alias of struct locked_repository */
	char *path;			/* below the repository's root: "pool/main/b/bash/bash_5.2_amd64.deb" */
	uint64_t size;
	char sha256[65];
};

struct locked_repository {
	char *alias;
	char *source;			/* as in the description: "distro:debian" or a URL; never a mirror */
	char *suite, *components;
	char release_sha256[65];	/* of the signed InRelease file */
	char keyring_sha256[65];
	int64_t date;			/* of the Release file, seconds since 1970 */
};

struct lock_set {
	struct locked_package *packages;	/* sorted by name, then architecture */
	size_t count;
	char index_sha256[65];		/* store object: the Packages stanzas of exactly these; "" if empty */
};

struct lock {
	int64_t epoch;			/* SOURCE_DATE_EPOCH: the newest Release date */
	char request_sha256[65];	/* of what was asked for (repositories, package names, ...) */
	char snapshot[17];		/* of the dated archive it comes from, "20260131T000000Z"; "" for the current */
	struct locked_repository *repositories;
	size_t repository_count;
	struct lock_set sets[LOCK_SETS];
};

struct lock *lock_new(void);
void lock_free(struct lock *lock);
void lock_freep(struct lock **lock);
#define CLEANUP_LOCK __attribute__((cleanup(lock_freep)))

/* Is it a moment as archives of the past are named, YYYYMMDDTHHMMSSZ? */
bool lock_is_snapshot(const char *text);

/* Both fuzzed/round-tripped. lock_parse: ERROR_INPUT names what is wrong (field path or line:column). */
int lock_parse(const void *json, size_t size, const char *file, struct lock **ret, struct error *err);
int lock_read(const char *path, struct lock **ret, struct error *err);
/* Deterministic text: sorted keys, two-space indent, newline at the end; written whole. */
int lock_write(const struct lock *lock, const char *path, struct error *err);
/* SHA-256 of the text that lock_write() writes. */
void lock_digest(const struct lock *lock, char ret[static 65]);
/* SHA-256 over the canonical text of one set: part of stage keys. */
void lock_set_digest(const struct lock *lock, enum lock_set_id set, char ret[static 65]);
/* By exact name; NULL if absent. */
const struct locked_package *lock_find(const struct lock *lock, enum lock_set_id set, const char *name);

#endif
