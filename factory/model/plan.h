/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_PLAN_H
#define KILN_MODEL_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "architecture.h"
#include "description.h"
#include "lock.h"

struct error;
struct keyring;

/*
 * Everything a build is determined by. Stages read this and the artifacts of earlier stages, never
 * the clock, a random source, the environment or the host. Owns nothing: description and lock
 * outlive it.
 */
struct plan {
	const struct description *description;
	const struct lock *lock;
	const struct architecture *arch;	/* of the image */
	const struct architecture *tools;	/* of LOCK_BUILDER and LOCK_APPLIANCE: this machine's */
	int64_t epoch;			/* SOURCE_DATE_EPOCH */
	char *result_name;		/* "NAME.ARCH-VERSION" */
	const char *const *initrd_modules;	/* NULL-terminated names: dm_verity, erofs, overlay, ... */
	uint8_t seed[32];		/* of image name and lock; ids come from it */
	char *source_root;		/* Kiln's own sources for the image (rootfs/init); absolute */
	const struct keyring *keyring;	/* NULL: the image is not signed. Set by the pipeline; outlives the plan */
	bool signature_pending;		/* the signature will be made elsewhere */
};

int plan_make(const struct description *d, const struct lock *lock, const char *source_root,
	      struct plan **ret, struct error *err);
void plan_free(struct plan *plan);
void plan_freep(struct plan **plan);
#define CLEANUP_PLAN __attribute__((cleanup(plan_freep)))

/* A UUID (RFC 9562 version 8, in text order) that depends on the seed and `purpose` only. */
void plan_uuid(const struct plan *plan, const char *purpose, uint8_t ret[static 16]);
/* 32 bytes likewise: the verity salt. */
void plan_bytes(const struct plan *plan, const char *purpose, uint8_t ret[static 32]);

#endif
