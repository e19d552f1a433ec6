/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_DOCTOR_H
#define KILN_FACTORY_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/host.h"

struct lock;

/*
 * The checks of `kiln doctor`, each a few rows of its table. They go on whatever they find: a finding is a row
 * and not an error.
 */

enum finding {
	FINDING_OK,
	FINDING_WARN,		/* slower, or later trouble */
	FINDING_FAIL,		/* something that Kiln does will not work */
};

struct doctor {
	const char *output;	/* where results are to go; need not exist */
	const struct lock *lock;	/* of the description that was named, or NULL */
	const char *cache;	/* NULL: there is none to be had */
	bool quick;		/* start no appliance */
	bool host_known;
	struct host host;
	unsigned int failed;
};

/* One row; `mend`, a command or an advice below it, may be NULL. */
void doctor_say(struct doctor *d, enum finding finding, const char *subject, const char *mend,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* What installs a package here, in the names of Debian and Fedora; malloc'ed. */
char *doctor_install(const char *debian, const char *fedora);

void doctor_check_programs(struct doctor *d);
void doctor_check_host(struct doctor *d);	/* sets host and host_known */
void doctor_check_places(struct doctor *d);
void doctor_check_firmware(struct doctor *d);
/* After the others: it takes many seconds, and needs what they look for. */
void doctor_check_appliance(struct doctor *d);

/*
 * Names in CACHE/KIND: the SHA-256 of packages that something was unpacked from (packages.h). Sorted,
 * NULL-terminated, malloc'ed; empty when there is no such directory.
 */
char **doctor_unpacked(const char *cache, const char *kind);
void doctor_names_free(char ***names);
#define CLEANUP_NAMES __attribute__((cleanup(doctor_names_free)))

#endif
