/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_ROOTS_H
#define KILN_ROOTFS_PACKAGES_ROOTS_H

#include "mirror.h"

/* The URL of each repository on this host today. The mirror is looked for when the first "distro:" asks. */
struct roots {
	const char *given;		/* as in fetch_options.mirror; NULL: the host's sources */
	const char *etc_apt;
	struct mirror mirror;
};
void roots_free(struct roots *roots);
#define CLEANUP_ROOTS __attribute__((cleanup(roots_free)))

/* `source` as in a description or a lock; *ret is malloc'ed and has no slash at its end. */
int roots_find(struct roots *roots, const char *source, const char *suite, char **ret,
	       struct error *err);

#endif
