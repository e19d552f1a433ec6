/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_AUDIT_INSTALLED_H
#define KILN_AUDIT_INSTALLED_H

#include <stdbool.h>
#include <stddef.h>

struct audit;
struct error;

/* The packages that are installed, by the database in the tree. */

struct installed_package {
	char *name;
	const char *place;		/* static: the database */
	unsigned int line;
};

struct installed {
	bool known;			/* there is a database that can be read */
	struct installed_package *names;
	size_t count;
};

int installed_read(const struct audit *a, struct installed *ret, struct error *err);
void installed_clear(struct installed *list);
#define CLEANUP_INSTALLED __attribute__((cleanup(installed_clear)))

#endif
