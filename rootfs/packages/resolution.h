/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_RESOLUTION_H
#define KILN_ROOTFS_PACKAGES_RESOLUTION_H

#include "apt.h"
#include "lists.h"

struct error;
struct lock;
struct resolve_request;

#define APT_OUTPUT_MAX (16 << 20)

/* One resolution at work, for one architecture: apt with the request's repositories, and all they offer. */
struct resolution {
	const struct resolve_request *request;
	const char *arch;
	struct apt apt;
	struct package_lists lists;
	char *suites;			/* "trixie, trixie-updates", for messages */
};

/*
 * Brings the lists up to date, signatures checked, loads them, and adds the repositories to the lock, if it does
 * not have them yet: then they must be what they were for the other architecture.
 */
int resolution_update(struct resolution *res, struct lock *lock, struct error *err);

#endif
