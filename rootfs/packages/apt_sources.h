/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_APT_SOURCES_H
#define KILN_ROOTFS_PACKAGES_APT_SOURCES_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/* A host's binary package sources, sources.list(5): one entry for each pair of URL and suite. */
struct apt_source {
	char *url, *suite;
	char *components;	/* blank separated */
	char *signed_by;	/* NULL when not given: any key the host trusts */
};
struct apt_sources {
	struct apt_source *items;
	size_t count;
};

/* sources.list, then sources.list.d/ *.list and *.sources by name. None of them being there is no error. */
int apt_sources_read(const char *etc_apt, struct apt_sources *ret, struct error *err);
void apt_sources_free(struct apt_sources *sources);
#define CLEANUP_APT_SOURCES __attribute__((cleanup(apt_sources_free)))

/* Is it Debian's own archive rather than a vendor's for some Debian release? */
bool apt_source_is_debian(const struct apt_source *source);

#endif
