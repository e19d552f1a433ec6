/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_APT_H
#define KILN_ROOTFS_PACKAGES_APT_H

#include <stddef.h>

struct buf;
struct error;
struct resolve_request;

/*
 * The host's apt with a state directory and a configuration of Kiln's own: nothing is installed,
 * hooks and pins of the host do not apply, its dpkg database is not read. Only how it reaches the
 * network (proxies, certificates) is taken over. Works for an ordinary user.
 */
struct apt {
	char *state;
	char **env;		/* for its children; NULL-terminated */
};
int apt_open(const char *state, const char *arch, struct apt *ret, struct error *err);
void apt_close(struct apt *apt);
#define CLEANUP_APT __attribute__((cleanup(apt_close)))

/* The repositories of the request as sources 1, 2, ..., each with a copy of its keyring (apt_keyring()). Where
 * the request has a store, one more: the directory apt_locked_source(), for locked_source.h. */
int apt_write_sources(const struct apt *apt, const struct resolve_request *request, struct error *err);
char *apt_locked_source(const struct apt *apt);
/* The file of preferences; empty after apt_open(). */
char *apt_preferences(const struct apt *apt);
char *apt_keyring(const struct apt *apt, const struct resolve_request *request, size_t i);

/* Runs "apt-get ARGV..." (without apt-get itself); *ret gets its standard output, also when it fails. */
int apt_get(const struct apt *apt, const char *const *arguments, struct buf *ret, struct error *err);

#endif
