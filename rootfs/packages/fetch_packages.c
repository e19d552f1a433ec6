/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/log.h"
#include "../../factory/model/architecture.h"
#include "../../factory/model/description.h"
#include "../../factory/model/memory.h"
#include "fetch.h"
#include "missing.h"
#include "snapshot.h"

#define NAMES_MAX 1000

/* ---------------------------------------------------------------- where repositories are */

static int open_downloader(struct fetch *f, struct error *err)
{
	if (downloader_env(&f->downloader))
		return 0;
	return downloader_open(f->state, architecture_host()->deb, &f->downloader, err);
}

int fetch_root(struct fetch *f, const struct locked_repository *repository, char **ret,
	       struct error *err)
{
	const struct snapshots snapshots = {
		.moment = f->moment,
		.given = f->options->snapshot_archive,
		.today = &f->roots,
		.downloader = &f->downloader,
		.dir = f->downloads,
	};
	int r;

	if (!f->moment[0])
		return roots_find(&f->roots, repository->source, repository->suite, ret, err);
	r = open_downloader(f, err);
	if (r == 0)
		r = snapshot_find(&snapshots, repository->source, repository->suite, ret, err);
	return r < 0 ? error_wrap(err, "archive of %s", f->moment) : 0;
}

/* ---------------------------------------------------------------- what is missing */

/* The URLs of the lock's repositories, as far as something is missing from them. */
struct lock_roots {
	char **urls;
	size_t count;
};

static void free_lock_roots(struct lock_roots *roots)
{
	for (size_t i = 0; i < roots->count; i++)
		free(roots->urls[i]);
	free(roots->urls);
}

static int set_root(struct fetch *f, const struct lock *lock, struct lock_roots *roots,
		    struct download *item, struct error *err)
{
	for (size_t i = 0; i < lock->repository_count; i++) {
		int r = 0;

		if (strcmp(lock->repositories[i].alias, item->package->repository) != 0)
			continue;
		if (!roots->urls[i])
			r = fetch_root(f, &lock->repositories[i], &roots->urls[i], err);
		item->root = roots->urls[i];
		return r;
	}
	return error_input(err,
			   "package %s is locked from repository %s, which the lock does not have",
			   item->package->name, item->package->repository);
}

static int bring(struct fetch *f, const struct lock *lock, struct missing *missing,
		 struct error *err)
{
	__attribute__((cleanup(free_lock_roots))) struct lock_roots roots = {
		.urls = memory_new((lock->repository_count + 1) * sizeof(*roots.urls)),
		.count = lock->repository_count,
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < missing->count; i++)
		r = set_root(f, lock, &roots, &missing->items[i], err);
	if (r == 0)
		r = open_downloader(f, err);
	if (r == 0)
		r = download_packages(missing->items, missing->count, f->downloads, &f->downloader,
				      f->store, err);
	for (size_t i = 0; i < missing->count; i++)
		missing->items[i].root = NULL;
	return r;
}

/* Mirrors drop a package some time after its successor has come. */
static int advise(const struct fetch *f, const struct lock *lock, const struct missing *missing,
		  struct error *err)
{
	CLEANUP_BUF struct buf names = BUF_INIT(NAMES_MAX);
	const struct error cause = *err;
	bool too_many = false;

	for (size_t i = 0; i < missing->count; i++)
		if (missing->items[i].gone)
			too_many |= buf_printf(&names, " %s", missing->items[i].package->name) < 0;
	if (names.len == 0)
		return -cause.code;
	/* Half of the names would be worse than none, which means all packages. */
	if (too_many)
		buf_truncate(&names, 0);
	if (lock->snapshot[0])
		(void)error_outside(err,
				    "%s; ask another dated archive (--snapshot-archive URL) or one "
				    "of another moment (--snapshot)",
				    cause.message);
	else
		(void)error_outside(err,
				    "%s; move on to newer ones (kiln fetch %s --update%s), ask "
				    "another mirror (--mirror URL), or the archive as it was when "
				    "it had them (--snapshot YYYYMMDDTHHMMSSZ)",
				    cause.message, f->request.description->directory,
				    buf_text(&names));
	err->code = cause.code;
	return -cause.code;
}

int fetch_packages(struct fetch *f, const struct lock *lock, const char **ret_outcome,
		   struct error *err)
{
	CLEANUP_MISSING struct missing missing = {.count = 0};
	int r;

	r = missing_find(f->store, lock, &missing, err);
	if (r < 0)
		return r;
	*ret_outcome = "done";
	if (missing.count == 0) {
		*ret_outcome = "all are there";
		return 0;
	}
	log_debug("%zu of %zu packages are not in the store", missing.count, missing.total);
	r = bring(f, lock, &missing, err);
	return r == -ENOENT && lock == f->before ? advise(f, lock, &missing, err) : r;
}
