/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_DOWNLOAD_H
#define KILN_ROOTFS_PACKAGES_DOWNLOAD_H

#include <stdbool.h>
#include <stddef.h>

struct downloader;
struct error;
struct locked_package;
struct store;

struct download {
	const struct locked_package *package;
	const char *root;		/* URL of its repository today */
	bool gone;			/* returned: the repository is there and does not have it */
};

/*
 * Brings packages into the store, several at a time, and shows how many MiB are there as the open
 * step's progress. What is complete when it fails or is killed counts next time. Needs `dir` (made
 * here, on the store's file system) for itself.
 *
 * -ENOENT, ERROR_OUTSIDE: some are `gone`, which the message names; the others are in the store.
 */
int download_packages(struct download *items, size_t count, const char *dir,
		      const struct downloader *downloader, const struct store *store, struct error *err);

/* A path as part of a URL, as apt quotes it; malloc'ed. */
char *download_quote(const char *path);

#endif
