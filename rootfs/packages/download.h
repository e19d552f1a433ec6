/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_DOWNLOAD_H
#define KILN_ROOTFS_PACKAGES_DOWNLOAD_H

#include <stddef.h>

struct apt;
struct error;
struct locked_package;
struct store;

struct download {
	const struct locked_package *package;
	const char *root;		/* URL of its repository today */
};

/*
 * Brings packages into the store with apt's own download methods, several at a time, and shows how
 * many MiB are there as the open step's progress. What is complete when it fails or is killed
 * counts next time. Needs `dir` (made here, on the store's file system) for itself.
 */
int download_packages(const struct download *items, size_t count, const char *dir, const struct apt *apt,
		      const struct store *store, struct error *err);

/* A path as part of a URL, as apt quotes it; malloc'ed. */
char *download_quote(const char *path);

#endif
