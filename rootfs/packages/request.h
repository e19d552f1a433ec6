/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_REQUEST_H
#define KILN_ROOTFS_PACKAGES_REQUEST_H

#include "sets.h"

/*
 * What a description asks for, from the description alone, so that a host without a network or the
 * archive's keys can tell whether a lock fits it. The repositories' strings are the description's.
 */
struct fetch_request {
	const struct description *description;
	struct package_sets sets;
	struct locked_repository *repositories;
	size_t count;
	char sha256[65];		/* of all that decides the outcome but the state of the archive */
};
int fetch_request_make(const struct description *description, struct fetch_request *ret,
		       struct error *err);
void fetch_request_free(struct fetch_request *request);
#define CLEANUP_FETCH_REQUEST __attribute__((cleanup(fetch_request_free)))

/* The file with the keys of repository number i; malloc'ed. */
int fetch_request_keyring(const struct fetch_request *request, size_t i, char **ret, struct error *err);

#endif
