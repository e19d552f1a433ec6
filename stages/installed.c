/* SPDX-License-Identifier: Apache-2.0 */
#include "installed.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/model/lock.h"

struct installed {
	char *name, *version, *architecture, *status;
};

/* Splits a line in place. */
static bool parse_line(char *line, struct installed *ret)
{
	ret->name = strsep(&line, " ");
	ret->version = strsep(&line, " ");
	ret->architecture = strsep(&line, " ");
	ret->status = line;
	return ret->status != NULL;
}

/* A name may be there once for each architecture. */
static const struct locked_package *find(const struct lock_set *set, const struct installed *p)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->packages[i].name, p->name) == 0 &&
		    strcmp(set->packages[i].architecture, p->architecture) == 0)
			return &set->packages[i];
	return NULL;
}

static int check_package(const struct lock_set *set, const struct installed *p, size_t *ret_index,
			 struct error *err)
{
	const struct locked_package *locked = find(set, p);

	if (!locked)
		return error_outside(err, "package %s (%s) is installed and not in the lock", p->name,
				     p->architecture);
	if (strcmp(locked->version, p->version) != 0)
		return error_outside(err, "package %s: version %s is installed, the lock says %s", p->name,
				     p->version, locked->version);
	if (strncmp(p->status, "ii", 2) != 0)
		return error_outside(err, "package %s is not installed whole: dpkg's state is \"%s\"",
				     p->name, p->status);
	*ret_index = (size_t)(locked - set->packages);
	return 0;
}

static int check_list(char *list, const struct lock_set *set, bool *seen, struct error *err)
{
	struct installed p;
	char *line;
	size_t index = 0;

	while ((line = strsep(&list, "\n"))) {
		int r;

		if (!*line)
			continue;
		if (!parse_line(line, &p))
			return error_outside(err, "dpkg-query answered \"%s\"", line);
		r = check_package(set, &p, &index, err);
		if (r < 0)
			return r;
		seen[index] = true;
	}
	return 0;
}

int installed_check(const char *list, const struct lock_set *set, struct error *err)
{
	CLEANUP_FREE char *copy = string_copy(list);
	CLEANUP_FREE bool *seen = calloc(set->count + 1, sizeof(*seen));
	int r;

	if (!seen)
		error_no_memory();
	r = check_list(copy, set, seen, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < set->count; i++)
		if (!seen[i])
			return error_outside(err, "package %s is in the lock and not installed",
					     set->packages[i].name);
	return 0;
}
