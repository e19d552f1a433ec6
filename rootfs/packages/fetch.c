/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch.h"

#include <stdlib.h>
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/base/log.h"
#include "../../factory/model/memory.h"
#include "changes.h"
#include "indexes.h"

#define HOST_SOURCES "/etc/apt"
#define STEPS 3

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
			r = fetch_root(f, &request->repositories[i], &ret->roots[i], err);
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

	if (!f->before || !fetch_fits(f, f->before) || strcmp(lock->snapshot, f->before->snapshot) != 0)
		return false;
	for (size_t i = 0; i < LOCK_SETS; i++)
		if (strcmp(f->before->sets[i].index_sha256, lock->sets[i].index_sha256) != 0)
			return false;
	lock_changes_find(f->before, lock, &changes);
	return changes.count == 0;
}

/* ---------------------------------------------------------------- all of it */

static int step_resolve(struct fetch *f, struct lock **ret, struct error *err)
{
	CLEANUP_LOCK struct lock *lock = NULL;
	int r;

	log_step_begin(1, STEPS, "resolve packages");
	r = fetch_intent(f, err);
	if (r == 0 && !f->use)
		r = resolve(f, &lock, err);
	log_step_end(r < 0 ? "failed" : f->use ? "reused" : "done");
	if (r < 0)
		return r;
	*ret = f->use ? f->before : TAKE_PTR(lock);
	return 0;
}

static int step_download(struct fetch *f, const struct lock *lock, struct error *err)
{
	const char *outcome = "failed";
	int r;

	log_step_begin(2, STEPS, "download packages");
	r = fetch_packages(f, lock, &outcome, err);
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
