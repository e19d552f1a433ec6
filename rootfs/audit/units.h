/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_AUDIT_UNITS_H
#define KILN_AUDIT_UNITS_H

#include <stdbool.h>
#include <stddef.h>

#include "unit_file.h"

struct error;
struct tree;

/* The systemd units that a tree has, systemd.unit(5): the first directory that has a name counts. */

struct unit {
	char *name;			/* "getty@.service" */
	char *path;			/* of what counts, "usr/lib/systemd/system/getty@.service" */
	bool masked;			/* itself, or what it is another name of */
	bool wanted;			/* by a unit that is not masked: started without anybody asking */
	struct unit_file file;		/* with its drop-ins; empty if masked */
	char **places;			/* paths of drop-ins, for `file` */
	size_t place_count;
};

struct units {
	struct unit *items;
	size_t count;
};

int units_read(const struct tree *tree, struct units **ret, struct error *err);
void units_free(struct units *units);
void units_freep(struct units **units);
#define CLEANUP_UNITS __attribute__((cleanup(units_freep)))

/* By name; for an instance that has no file of its own, its template. NULL: none. */
const struct unit *units_find(const struct units *units, const char *name);

/* Does a command of the unit name one of these programs, by whatever path? The setting, or NULL. */
const struct unit_entry *unit_runs(const struct unit *unit, const char *const *programs);

#endif
