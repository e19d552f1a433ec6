/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_FETCH_H
#define KILN_ROOTFS_PACKAGES_FETCH_H

#include "downloader.h"
#include "packages.h"
#include "request.h"
#include "roots.h"

/* One fetch at work: what packages_fetch() and its parts share. */
struct fetch {
	const struct fetch_options *options;
	const struct store *store;
	const struct package_family *family;
	struct fetch_request request;
	struct roots roots;		/* of today */
	struct downloader downloader;	/* once somebody has asked for it */
	char *state, *downloads;	/* directories */

	/* fetch_intent() */
	struct lock *before;		/* what was there; NULL: nothing */
	const char *moment;		/* of the dated archive to use; "": today's */
	bool use;			/* `before` is the lock */
	bool keep;			/* else: its versions are to be kept but for options->moving */
};

/* Reads the lock that is there and decides what is to become of it. */
int fetch_intent(struct fetch *f, struct error *err);
/* Was the lock made for this request? */
bool fetch_fits(const struct fetch *f, const struct lock *lock);

/* The URL of a repository at the moment; malloc'ed. */
int fetch_root(struct fetch *f, const struct locked_repository *repository, char **ret,
	       struct error *err);
/* Brings what the lock names and the store lacks. *ret_outcome is for log_step_end(). */
int fetch_packages(struct fetch *f, const struct lock *lock, const char **ret_outcome,
		   struct error *err);

#endif
