/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/base/log.h"
#include "../../factory/model/description.h"
#include "../../factory/model/memory.h"
#include "changes.h"
#include "downloader.h"
#include "indexes.h"
#include "missing.h"
#include "packages.h"
#include "request.h"
#include "roots.h"
#include "snapshot.h"
#include "store.h"

#define HOST_SOURCES "/etc/apt"
#define NAMES_MAX 1000
#define STEPS 3

/* One fetch. */
struct fetch {
	const struct fetch_options *options;
	const struct store *store;
	const struct package_family *family;
	struct fetch_request request;
	struct roots roots;
	struct downloader downloader;
	const char *moment; /* of the dated archive to use; "": today's */
	struct lock *before; /* what was there; NULL: nothing */
	bool keep; /* its versions are to be kept but for options->moving */
	char *state, *downloads;
};

static void free_fetch(struct fetch *f)
{
	fetch_request_free(&f->request);
	roots_free(&f->roots);
	downloader_close(&f->downloader);
	lock_free(f->before);
	free(f->state);
	free(f->downloads);
}

void fetch_result_clear(struct fetch_result *result)
{
	lock_free(result->lock);
	lock_free(result->before);
	*result = (struct fetch_result){.lock = NULL};
}

/* ---------------------------------------------------------------- the lock that is there */

static bool names_some(const struct fetch *f)
{
	return f->options->moving && f->options->moving[0];
}

static bool fits(const struct fetch *f, const struct lock *lock)
{
	return strcmp(lock->request_sha256, f->request.sha256) == 0;
}

static int read_before(struct fetch *f, struct error *err)
{
	const struct fetch_options *o = f->options;
	struct error why = ERROR_INIT;
	int r;

	if (!io_exists(o->lock_path))
		return 0;
	r = lock_read(o->lock_path, &f->before, &why);
	if (r == 0)
		return 0;
	if (o->update && !names_some(f)) {
		log_warning("%s: the lock is made anew", why.message);
		return 0;
	}
	*err = why;
	return error_wrap(err, "cannot use the lock (kiln fetch --update makes it anew)");
}

/* A metapackage is not in the lock, what stands behind it is. */
static bool is_known(const struct fetch *f, const char *name)
{
	for (unsigned int set = 0; set < LOCK_SETS; set++) {
		const struct package_set_request *request = &f->request.sets.requests[set];

		if (lock_find(f->before, set, name))
			return true;
		for (size_t i = 0; request->reach == REACH_BEHIND && request->names[i]; i++)
			if (strcmp(request->names[i], name) == 0)
				return true;
	}
	return false;
}

static int check_moving(const struct fetch *f, struct error *err)
{
	CLEANUP_BUF struct buf names = BUF_INIT(NAMES_MAX);

	if (!names_some(f))
		return 0;
	if (!f->before)
		return error_input(err,
				   "there is no %s yet in which packages could be moved: run "
				   "\"kiln fetch\" without names first",
				   f->options->lock_path);
	for (const char *const *name = f->options->moving; *name; name++)
		if (!is_known(f, *name) &&
		    buf_printf(&names, "%s%s", names.len ? ", " : "", *name) < 0)
			break;
	if (names.len == 0)
		return 0;
	return error_input(err, "--update: %s %s in no set of %s", buf_text(&names),
			   strchr(buf_text(&names), ',') ? "are" : "is", f->options->lock_path);
}

/* Half of a dated archive and half of another would be what nobody can fetch again. */
static int check_snapshot(const struct fetch *f, struct error *err)
{
	const struct fetch_options *o = f->options;

	if (o->snapshot && !lock_is_snapshot(o->snapshot))
		return error_input(err, "--snapshot %s: must be a moment, YYYYMMDDTHHMMSSZ",
				   o->snapshot);
	if (o->snapshot_archive && snapshot_check(o->snapshot_archive, err) < 0)
		return -err->code;
	if (names_some(f) && f->before && f->before->snapshot[0] && !o->snapshot)
		return error_input(err,
				   "%s is of the archive of %s, in which nothing moves: name a "
				   "later "
				   "one with --snapshot, or leave it with --update alone",
				   o->lock_path, f->before->snapshot);
	return 0;
}

/* Only --update without names leaves a dated archive for today's. */
static const char *choose_moment(const struct fetch *f)
{
	const struct fetch_options *o = f->options;

	if (o->snapshot)
		return o->snapshot;
	return f->before && !(o->update && !names_some(f)) ? f->before->snapshot : "";
}

/* What --locked is for: nobody's lock moves by accident. */
static int check_locked(const struct fetch *f, struct error *err)
{
	const char *path = f->options->lock_path;

	if (!f->options->locked)
		return 0;
	if (!f->before)
		return error_input(err, "%s is missing, and --locked forbids to make it", path);
	if (fits(f, f->before))
		return error_input(err,
				   "%s is not of the archive of %s, and --locked forbids to move "
				   "it",
				   path, f->moment);
	return error_input(err,
			   "%s was made for other packages or repositories than %s names now, and "
			   "--locked forbids to move it",
			   path, f->request.description->file);
}

static void tell(const struct fetch *f, bool same_moment)
{
	const char *path = f->options->lock_path;

	if (!f->before || f->options->update)
		return;
	if (!same_moment)
		log_info("%s moves to the archive of %s", path, f->moment);
	else
		log_info("%s is for another request: it is moved as far as that needs", path);
}

/* *ret_use: the lock that is there is the one. */
static int consider(struct fetch *f, bool *ret_use, struct error *err)
{
	const struct fetch_options *o = f->options;
	bool same_moment;
	int r;

	r = read_before(f, err);
	if (r == 0)
		r = check_snapshot(f, err);
	if (r == 0)
		r = check_moving(f, err);
	if (r < 0)
		return r;
	f->moment = choose_moment(f);
	same_moment = f->before && strcmp(f->moment, f->before->snapshot) == 0;
	*ret_use = !o->update && same_moment && fits(f, f->before);
	if (*ret_use)
		return 0;
	f->keep = names_some(f) || (!o->update && same_moment);
	r = check_locked(f, err);
	if (r == 0)
		tell(f, same_moment);
	return r;
}

/* ---------------------------------------------------------------- where repositories are */

static int open_downloader(struct fetch *f, struct error *err)
{
	if (downloader_env(&f->downloader))
		return 0;
	return downloader_open(f->state, FETCH_ARCHITECTURE, &f->downloader, err);
}

static int find_root(struct fetch *f, const struct locked_repository *repository, char **ret,
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

/* ---------------------------------------------------------------- a new one */

struct sources {
	char **roots, **keyrings; /* one for each repository of the request */
	size_t count;
};

static void free_sources(struct sources *sources)
{
	for (size_t i = 0; i < sources->count; i++) {
		free(sources->roots[i]);
		free(sources->keyrings[i]);
	}
	free(sources->roots);
	free(sources->keyrings);
}

static int find_sources(struct fetch *f, struct sources *ret, struct error *err)
{
	const struct fetch_request *request = &f->request;
	int r = 0;

	ret->count = request->count;
	ret->roots = memory_new((request->count + 1) * sizeof(*ret->roots));
	ret->keyrings = memory_new((request->count + 1) * sizeof(*ret->keyrings));
	for (size_t i = 0; r == 0 && i < request->count; i++) {
		r = fetch_request_keyring(request, i, &ret->keyrings[i], err);
		if (r == 0)
			r = find_root(f, &request->repositories[i], &ret->roots[i], err);
	}
	return r;
}

/* A dated archive has all there was, and a lock made of it is to be had from it alone. */
static bool offers_store(const struct fetch *f)
{
	return f->keep && !f->moment[0] && !f->before->snapshot[0];
}

static int resolve(struct fetch *f, struct lock **ret, struct error *err)
{
	__attribute__((cleanup(free_sources))) struct sources sources = {.count = 0};
	CLEANUP_LOCK struct lock *lock = lock_new();
	int r;

	r = find_sources(f, &sources, err);
	if (r < 0)
		return r;

	const struct resolve_request request = {
		.repositories = f->request.repositories,
		.roots = (const char *const *)sources.roots,
		.keyrings = (const char *const *)sources.keyrings,
		.repository_count = (unsigned int)f->request.count,
		.sets = f->request.sets.requests,
		.set_count = LOCK_SETS,
		.arch = FETCH_ARCHITECTURE,
		.state = f->state,
		.before = f->keep ? f->before : NULL,
		.moving = f->options->moving,
		.store = offers_store(f) ? f->store : NULL,
		.dated = f->moment[0] != '\0',
	};

	r = f->family->resolve(&request, lock, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < lock->repository_count; i++)
		if (lock->repositories[i].date > lock->epoch)
			lock->epoch = lock->repositories[i].date;
	memcpy(lock->request_sha256, f->request.sha256, sizeof(lock->request_sha256));
	memcpy(lock->snapshot, f->moment, strlen(f->moment));
	*ret = TAKE_PTR(lock);
	return 0;
}

/* The archive's date alone is no reason for another image. */
static bool says_the_same(const struct fetch *f, const struct lock *lock)
{
	CLEANUP_LOCK_CHANGES struct lock_changes changes = {NULL, 0};

	if (!f->before || !fits(f, f->before) || strcmp(lock->snapshot, f->before->snapshot) != 0)
		return false;
	for (size_t i = 0; i < LOCK_SETS; i++)
		if (strcmp(f->before->sets[i].index_sha256, lock->sets[i].index_sha256) != 0)
			return false;
	lock_changes_find(f->before, lock, &changes);
	return changes.count == 0;
}

/* ---------------------------------------------------------------- packages */

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
			r = find_root(f, &lock->repositories[i], &roots->urls[i], err);
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

static int fetch_missing(struct fetch *f, const struct lock *lock, const char **ret_outcome,
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

/* ---------------------------------------------------------------- all of it */

static int step_resolve(struct fetch *f, struct lock **ret, struct error *err)
{
	CLEANUP_LOCK struct lock *lock = NULL;
	bool use = false;
	int r;

	log_step_begin(1, STEPS, "resolve packages");
	r = consider(f, &use, err);
	if (r == 0 && !use)
		r = resolve(f, &lock, err);
	log_step_end(r < 0 ? "failed" : use ? "reused" : "done");
	if (r < 0)
		return r;
	*ret = use ? f->before : TAKE_PTR(lock);
	return 0;
}

static int step_download(struct fetch *f, const struct lock *lock, struct error *err)
{
	const char *outcome = "failed";
	int r;

	log_step_begin(2, STEPS, "download packages");
	r = fetch_missing(f, lock, &outcome, err);
	log_step_end(r < 0 ? "failed" : outcome);
	return r;
}

static int step_index(const struct fetch *f, struct lock *lock, struct error *err)
{
	int r;

	log_step_begin(3, STEPS, "index packages");
	r = indexes_make(f->store, f->family, lock, err);
	log_step_end(r < 0 ? "failed" : "done");
	return r < 0 ? error_wrap(err, "%s", f->options->lock_path) : 0;
}

/* *ret_same: the lock that is there stays. */
static int settle(struct fetch *f, struct lock *lock, bool *ret_same, struct error *err)
{
	int r;

	r = step_download(f, lock, err);
	if (r == 0)
		r = step_index(f, lock, err);
	if (r < 0)
		return r;
	*ret_same = lock == f->before || says_the_same(f, lock);
	return *ret_same ? 0 : lock_write(lock, f->options->lock_path, err);
}

static int fetch_locked(struct fetch *f, struct fetch_result *ret, struct error *err)
{
	struct lock *lock = NULL;
	bool same = false;
	int r;

	r = step_resolve(f, &lock, err);
	if (r < 0)
		return r;
	r = settle(f, lock, &same, err);
	/* What is not f->before is ours, and the result's where it says something new. */
	if (lock != f->before && (r < 0 || same))
		lock_free(lock);
	if (r < 0)
		return r;
	ret->lock = same ? f->before : lock;
	ret->before = same ? NULL : f->before;
	f->before = NULL;
	return 0;
}

int packages_fetch(const struct fetch_options *options, const struct store *store,
		   struct fetch_result *ret, struct error *err)
{
	__attribute__((cleanup(free_fetch))) struct fetch f = {
		.options = options,
		.store = store,
		.family = &package_family_deb,
		.roots = {.given = options->mirror, .etc_apt = HOST_SOURCES},
		.state = path_join(options->cache, "apt"),
		.downloads = path_join(options->cache, "downloads"),
	};
	CLEANUP_FREE char *lock_file = path_join(options->cache, "fetch.lock");
	CLEANUP_CLOSE int lock = -1;
	int r;

	r = fetch_request_make(options->description, &f.request, err);
	if (r == 0)
		r = io_mkdirs(options->cache, 0755, err);
	/* One at a time: the second will find in the store what the first has brought. */
	if (r == 0)
		r = io_lock(lock_file, &lock, err);
	if (r < 0)
		return r;
	return fetch_locked(&f, ret, err);
}
