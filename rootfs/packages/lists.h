/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_LISTS_H
#define KILN_ROOTFS_PACKAGES_LISTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../factory/base/io.h"
#include "stanza.h"

struct error;

/* Every package that the repositories offer: their Packages lists, mapped and sorted two ways. */
struct listed_package {
	struct text stanza, name;
	unsigned int repository;
	uint8_t sha256[32];
};
struct package_lists {
	struct io_map *maps;
	size_t map_count;
	struct listed_package *packages;	/* by digest, then repository */
	size_t package_count, package_room;
	struct text *names;			/* of packages and of what they provide */
	size_t name_count, name_room;
};

/* Adds one list; packages without a SHA-256 are left out: they cannot be locked. */
int package_lists_add(struct package_lists *lists, const char *path, unsigned int repository,
		      struct error *err);
/* Once all are there, before the two below. */
void package_lists_sort(struct package_lists *lists);
/* The package with these 32 bytes as its digest, of the first repository that has it; or NULL. */
const struct listed_package *package_lists_find(const struct package_lists *lists,
						const uint8_t sha256[static 32]);
/* Is there a package of that name, or one that provides it? */
bool package_lists_know(const struct package_lists *lists, const char *name);
void package_lists_free(struct package_lists *lists);
#define CLEANUP_PACKAGE_LISTS __attribute__((cleanup(package_lists_free)))

#endif
