/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_MIRROR_H
#define KILN_ROOTFS_PACKAGES_MIRROR_H

struct error;

/*
 * Where "distro:debian" is today. Descriptions and locks name a source and never a mirror, so that
 * they mean the same to everyone; this is the one place that turns the former into the latter.
 */
struct mirror {
	char *root;		/* serves trixie, trixie-updates, ...; no slash at the end */
	char *security;		/* serves trixie-security; NULL: not known */
};

/* "URL" or "URL SECURITY-URL". With one URL that ends in "/debian", the other is it with "-security". */
int mirror_parse(const char *given, struct mirror *ret, struct error *err);
/* Out of a host's own apt sources below `etc_apt`, usually /etc/apt. ERROR_INPUT if they name no
 * Debian archive: then somebody has to give a mirror. */
int mirror_of_host(const char *etc_apt, struct mirror *ret, struct error *err);
void mirror_free(struct mirror *m);
#define CLEANUP_MIRROR __attribute__((cleanup(mirror_free)))

/* The root (malloc'ed) that serves a suite of "distro:debian". */
int mirror_root(const struct mirror *m, const char *suite, char **ret, struct error *err);

#endif
