/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_SNAPSHOT_H
#define KILN_ROOTFS_PACKAGES_SNAPSHOT_H

#include "roots.h"
#include "stanza.h"

struct downloader;
struct error;

/*
 * Archives of the past: the URL under which a repository is kept as it was at a moment. As apt has it
 * (apt.conf(5), Acquire::Snapshots::URI), a repository names its snapshot service in the field "Snapshots" of
 * its Release file, and the host's configuration of apt may name or override one.
 */
#define SNAPSHOT_ID "@SNAPSHOTID@"
#define SNAPSHOT_PATH "@PATH@"		/* the repository's own, "debian-security" */

struct snapshots {
	const char *moment;		/* "20260131T000000Z" */
	const char *given;		/* a template (snapshot_check()), or NULL: asked for as above */
	struct roots *today;		/* where repositories are now */
	const struct downloader *downloader;	/* for their Release files */
	const char *dir;		/* private directory for those */
};

/* Is it a template: one URL, or two as in mirror.h, each with SNAPSHOT_ID in it? ERROR_INPUT if not. */
int snapshot_check(const char *given, struct error *err);
/* Like roots_find(). */
int snapshot_find(const struct snapshots *s, const char *source, const char *suite, char **ret,
		  struct error *err);

/*
 * The template out of a Release file and apt's configuration, lines of "NAME VALUE": in this order by an
 * override, by the Release file itself, by the archive's label, origin and host. malloc'ed; NULL: there is none.
 */
char *snapshot_template(struct text release, struct text config, const char *host);
/* Both placeholders replaced, no slash at the end; malloc'ed. */
char *snapshot_expand(const char *template, const char *moment, const char *path);

#endif
