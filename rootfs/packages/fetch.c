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
	struct lock *before; /* what was there; NULL: nothing */
	bool keep; /* its versions are to be kept but for options->moving */
	char *state, *downloads;
};

static void free_fetch(struct fetch *f)
{
	fetch_request_free(&f->request);
	roots_free(&f->roots);
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

/* What --locked is for: nobody's lock moves by accident. */
static int check_locked(const struct fetch *f, struct error *err)
{
	if (!f->options->locked)
		return 0;
	if (!f->before)
		return error_input(err, "%s is missing, and --locked forbids to make it",
				   f->options->lock_path);
	return error_input(err,
			   "%s was made for other packages or repositories than %s names now, and "
			   "--locked forbids to move it",
			   f->options->lock_path, f->request.description->file);
}

/* *ret_use: the lock that is there is the one. */
static int consider(struct fetch *f, bool *ret_use, struct error *err)
{
	int r = read_before(f, err);

	if (r == 0)
		r = check_moving(f, err);
	if (r < 0)
		return r;
	*ret_use = f->before && !f->options->update && fits(f, f->before);
	if (*ret_use)
		return 0;
	f->keep = f->before && (!f->options->update || names_some(f));
	if (f->before && !f->options->update)
		log_info("%s is for another request: it is moved as far as that needs",
			 f->options->lock_path);
	return check_locked(f, err);
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
			r = roots_find(&f->roots, request->repositories[i].source,
				       request->repositories[i].suite, &ret->roots[i], err);
	}
	return r;
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
		.store = f->keep ? f->store : NULL,
	};

	r = f->family->resolve(&request, lock, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < lock->repository_count; i++)
		if (lock->repositories[i].date > lock->epoch)
			lock->epoch = lock->repositories[i].date;
	memcpy(lock->request_sha256, f->request.sha256, sizeof(lock->request_sha256));
	*ret = TAKE_PTR(lock);
	return 0;
}

/* The archive's date alone is no reason for another image. */
static bool says_the_same(const struct fetch *f, const struct lock *lock)
{
	CLEANUP_LOCK_CHANGES struct lock_changes changes = {NULL, 0};

	if (!f->before || !fits(f, f->before))
		return false;
	for (size_t i = 0; i < LOCK_SETS; i++)
		if (strcmp(f->before->sets[i].index_sha256, lock->sets[i].index_sha256) != 0)
			return false;
	lock_changes_find(f->before, lock, &changes);
	return changes.count == 0;
}

/* ---------------------------------------------------------------- packages */

static int find_root(struct fetch *f, const struct lock *lock, const struct locked_package *package,
		     char **ret, struct error *err)
{
	for (size_t i = 0; i < lock->repository_count; i++)
		if (strcmp(lock->repositories[i].alias, package->repository) == 0)
			return roots_find(&f->roots, lock->repositories[i].source,
					  lock->repositories[i].suite, ret, err);
	return error_input(err,
			   "package %s is locked from repository %s, which the lock does not have",
			   package->name, package->repository);
}

static void free_roots(const struct missing *missing)
{
	for (size_t i = 0; i < missing->count; i++)
		free((char *)missing->items[i].root);
}

static int bring(struct fetch *f, const struct lock *lock, const struct missing *missing,
		 struct error *err)
{
	CLEANUP_DOWNLOADER struct downloader downloader = {.env = NULL};
	int r = 0;

	for (size_t i = 0; r == 0 && i < missing->count; i++) {
		char *root = NULL;

		r = find_root(f, lock, missing->items[i].package, &root, err);
		missing->items[i].root = root;
	}
	if (r == 0)
		r = downloader_open(f->state, FETCH_ARCHITECTURE, &downloader, err);
	if (r == 0)
		r = download_packages(missing->items, missing->count, f->downloads, &downloader,
				      f->store, err);
	free_roots(missing);
	return r;
}

/* Mirrors drop a package some time after its successor has come. */
static int advise(const struct fetch *f, const struct missing *missing, struct error *err)
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
	(void)error_outside(err,
			    "%s; move on to newer ones (kiln fetch %s --update%s) or ask another "
			    "mirror (--mirror URL)",
			    cause.message, f->request.description->directory, buf_text(&names));
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
	return r == -ENOENT && lock == f->before ? advise(f, &missing, err) : r;
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
