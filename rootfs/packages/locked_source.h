/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_LOCKED_SOURCE_H
#define KILN_ROOTFS_PACKAGES_LOCKED_SOURCE_H

struct error;
struct locked_package;
struct resolve_request;

/*
 * What the lock before names and the store still has, as one more repository for apt, so that a
 * version can be kept that the archive has dropped. Trusted: each package is what the lock's digest says.
 */

/* Writes "Packages" and "Release" into `dir`. Left out is what came from a repository that the request
 * no longer asks for, or asks for elsewhere, and what is for another architecture. */
int locked_source_write(const struct resolve_request *request, const char *arch, const char *dir,
			struct error *err);

/* The package of the lock before with that digest, of any set; NULL if there is none. */
const struct locked_package *locked_source_find(const struct resolve_request *request,
						const char *sha256);

#endif
