/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_DEB_CHOICE_H
#define KILN_ROOTFS_PACKAGES_DEB_CHOICE_H

#include <stdbool.h>

#include "../../factory/model/lock.h"

struct error;
struct store;

/* Those packages of a set that one purpose needs: what is not opened costs no time. */
struct deb_choice {
	const char *const *names;	/* with all they depend on; NULL-terminated */
	bool essential;			/* and the essential packages, likewise */
	const char *const *without;	/* beginnings of names: not these, nor what they alone need; or NULL */
};

/*
 * By Depends and Pre-Depends in the set's index; where there are alternatives, all that are in the set.
 * The order is the set's. *ret borrows the packages' strings from it: free with deb_choice_free().
 * ERROR_OUTSIDE: the index is missing or spoilt; ERROR_INPUT: a name is not in the set.
 */
int deb_choose(const struct store *store, const struct lock_set *set, const struct deb_choice *choice,
	       struct lock_set *ret, struct error *err);
void deb_choice_free(struct lock_set *set);
#define CLEANUP_DEB_CHOICE __attribute__((cleanup(deb_choice_free)))

#endif
