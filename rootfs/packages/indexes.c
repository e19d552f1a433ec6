/* SPDX-License-Identifier: Apache-2.0 */
#include "indexes.h"

#include <stdbool.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "deb_index.h"
#include "packages.h"
#include "store.h"

#define INDEX_MAX (64 << 20)

/* The lock is what people edit; its index they cannot, for its name is its digest. */
static int check(const struct lock_set *set, const char *path, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(INDEX_MAX);
	int r;

	r = io_read_file(path, INDEX_MAX, &text, err);
	if (r < 0)
		return r;
	r = deb_index_check(set, (struct text){buf_text(&text), text.len}, err);
	if (r < 0)
		return error_wrap(err, "edited by hand? (kiln fetch --update makes it anew)");
	return 0;
}

static int make(const struct store *store, const struct package_family *family,
		struct lock_set *set, struct error *err)
{
	CLEANUP_FREE char *path = NULL;
	struct error absent = ERROR_INIT;
	char sha256[65] = "";
	int r;

	if (set->index_sha256[0] &&
	    store_verified(store, set->index_sha256, "index", &path, &absent) == 0)
		return check(set, path, err);
	r = family->index(store, set, sha256, err);
	if (r < 0)
		return r;
	if (set->index_sha256[0] && strcmp(set->index_sha256, sha256) != 0)
		return error_input(err,
				   "edited by hand? (kiln fetch --update makes it anew): the lock "
				   "says index_sha256 %s, its packages give %s",
				   set->index_sha256, sha256);
	memcpy(set->index_sha256, sha256, sizeof(set->index_sha256));
	return 0;
}

int indexes_make(const struct store *store, const struct package_family *family, struct lock *lock,
		 struct error *err)
{
	for (size_t i = 0; i < LOCK_SETS; i++) {
		int r = lock->sets[i].count ? make(store, family, &lock->sets[i], err) : 0;

		if (r < 0)
			return error_wrap(err, "set %s", lock_set_names[i]);
	}
	return 0;
}

int packages_check_indexes(const struct store *store, const struct lock *lock, struct error *err)
{
	for (size_t i = 0; i < LOCK_SETS; i++) {
		const struct lock_set *set = &lock->sets[i];
		CLEANUP_FREE char *path = NULL;
		int r;

		if (set->count == 0)
			continue;
		r = store_verified(store, set->index_sha256, "its index", &path, err);
		if (r == 0)
			r = check(set, path, err);
		if (r < 0)
			return error_wrap(err, "set %s of the lock", lock_set_names[i]);
	}
	return 0;
}
