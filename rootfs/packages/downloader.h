/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_DOWNLOADER_H
#define KILN_ROOTFS_PACKAGES_DOWNLOADER_H

#include <stdbool.h>
#include <stddef.h>

#include "apt.h"

struct error;

/*
 * The program that opens the connections: apt's own download methods, which know every kind of URL and
 * how this host reaches the network; where there is no apt, curl or wget.
 */
enum downloader_kind { DOWNLOADER_APT, DOWNLOADER_CURL, DOWNLOADER_WGET };

struct downloader {
	enum downloader_kind kind;
	struct apt apt;			/* DOWNLOADER_APT */
	char **env;			/* for its children; NULL-terminated */
};
struct downloader_file {
	char *url, *target;
	const char *sha256;		/* NULL: not known */
};

/* As the first of the three that is installed. `state` and `arch` as for apt_open(). */
int downloader_open(const char *state, const char *arch, struct downloader *ret, struct error *err);
void downloader_close(struct downloader *d);
#define CLEANUP_DOWNLOADER __attribute__((cleanup(downloader_close)))

/* NULL-terminated. */
const char *const *downloader_env(const struct downloader *d);
/* How many files one child can bring. */
size_t downloader_batch(const struct downloader *d);
/* The child's arguments; each and the list are malloc'ed. */
char **downloader_arguments(const struct downloader *d, const struct downloader_file *files, size_t count);

/*
 * Why file number `index` of `count` did not come, out of what the child wrote to standard error; malloc'ed.
 * *ret_gone: the server has answered that there is no such file.
 */
char *downloader_reason(const struct downloader *d, const char *said, const struct downloader_file *files,
			size_t index, bool *ret_gone);

/* One file of unknown digest. ERROR_OUTSIDE with the URL and the reason. */
int downloader_fetch(const struct downloader *d, const char *url, const char *target, struct error *err);

/* The path behind "file:/..." or "copy:/..."; NULL for other URLs. */
const char *downloader_local_path(const char *url);

#endif
