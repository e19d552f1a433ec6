/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/digest.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/base/log.h"
#include "../../factory/model/description.h"
#include "../../factory/model/memory.h"
#include "apt.h"
#include "download.h"
#include "packages.h"
#include "roots.h"
#include "sets.h"
#include "store.h"

#define ARCHITECTURE "amd64"
#define HOST_SOURCES "/etc/apt"
#define REQUEST_MAX (1 << 20)
#define KEYRING_MAX (16 << 20)
#define STEPS 3

/* One fetch. The repositories' strings are the description's. */
struct fetch {
	const struct fetch_options *options;
	const struct store *store;
	const struct package_family *family;
	struct package_sets sets;
	struct roots roots;
	struct locked_repository *repositories;
	char **root_urls, **keyrings; /* one for each repository of the description */
	size_t count;
	char request[2 * DIGEST_MAX + 1];
	char *state, *downloads;
};

static void free_fetch(struct fetch *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free(f->root_urls[i]);
		free(f->keyrings[i]);
	}
	free(f->root_urls);
	free(f->keyrings);
	free(f->repositories);
	roots_free(&f->roots);
	package_sets_free(&f->sets);
	free(f->state);
	free(f->downloads);
}

/* ---------------------------------------------------------------- what is asked for */

static int find_keyring(const struct description *d,
			const struct description_repository *repository, char **ret,
			struct error *err)
{
	static const char *const debian[] = {
		"/usr/share/keyrings/debian-archive-keyring.gpg",
		"/usr/share/keyrings/debian-archive-keyring.pgp",
	};

	if (repository->signing_key) {
		*ret = string_copy(repository->signing_key);
		return 0;
	}
	if (strncmp(repository->path, "distro:", 7) != 0)
		return error_input(err,
				   "%s:%d: repository %s has no signing key: only \"distro:\" "
				   "repositories can do without",
				   d->file, repository->line, repository->alias);
	for (size_t i = 0; i < ARRAY_SIZE(debian); i++) {
		if (io_exists(debian[i])) {
			*ret = string_copy(debian[i]);
			return 0;
		}
	}
	return error_outside(err,
			     "the keys of Debian's archive are not there (%s): install the package "
			     "debian-archive-keyring",
			     debian[0]);
}

static int add_repository(struct fetch *f, const struct description_repository *repository,
			  struct error *err)
{
	const struct description *d = f->options->description;

	for (size_t i = 0; i < f->count; i++)
		if (strcmp(f->repositories[i].alias, repository->alias) == 0)
			return error_input(err, "%s:%d: a repository %s was there before", d->file,
					   repository->line, repository->alias);
	f->repositories[f->count] = (struct locked_repository){
		.alias = repository->alias,
		.source = repository->path,
		.suite = repository->distribution,
		.components = repository->components,
	};
	f->count++;
	return 0;
}

static int add_repositories(struct fetch *f, struct error *err)
{
	const struct description *d = f->options->description;
	size_t room = d->repository_count + 1;
	int r = 0;

	f->repositories = memory_new(room * sizeof(*f->repositories));
	f->root_urls = memory_new(room * sizeof(*f->root_urls));
	f->keyrings = memory_new(room * sizeof(*f->keyrings));
	for (size_t i = 0; r == 0 && i < d->repository_count; i++)
		r = add_repository(f, &d->repositories[i], err);
	if (r == 0 && f->count == 0)
		r = error_input(err, "%s: the description names no repository", d->file);
	return r;
}

static int find_keyrings(struct fetch *f, struct error *err)
{
	const struct description *d = f->options->description;
	int r = 0;

	for (size_t i = 0; r == 0 && i < f->count; i++)
		r = find_keyring(d, &d->repositories[i], &f->keyrings[i], err);
	return r;
}

/* A key of the description's own is part of the request; the host's copy of the distribution's is not. */
static int add_key_to_request(const struct fetch *f, size_t i, struct buf *text, struct error *err)
{
	const char *key = f->options->description->repositories[i].signing_key;
	char hex[2 * DIGEST_MAX + 1];
	struct digest digest;
	int r;

	if (!key)
		return 0;
	r = digest_file(DIGEST_SHA256, key, &digest, NULL, err);
	if (r < 0)
		return error_wrap(err, "signing key of repository %s", f->repositories[i].alias);
	digest_hex(&digest, hex);
	r = buf_printf(text, "key %s\n", hex);
	return r < 0 ? error_system(err, r, "request") : 0;
}

static int add_set_to_request(const struct package_set_request *set, struct buf *text)
{
	int r = buf_printf(text, "set %s %d\n", lock_set_names[set->set], set->reach);

	for (size_t i = 0; r == 0 && set->names[i]; i++)
		r = buf_printf(text, "package %s\n", set->names[i]);
	for (size_t i = 0; r == 0 && set->excluded[i]; i++)
		r = buf_printf(text, "without %s\n", set->excluded[i]);
	return r;
}

/* All that decides the outcome but the state of the archive. */
static int digest_request(struct fetch *f, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(REQUEST_MAX);
	struct digest digest;
	int r;

	r = buf_printf(&text, "request 1\nfamily %s\narchitecture %s\n", f->family->name,
		       ARCHITECTURE);
	for (size_t i = 0; r == 0 && i < f->count; i++) {
		const struct locked_repository *repository = &f->repositories[i];

		r = buf_printf(&text, "repository %s\nsource %s\nsuite %s\ncomponents %s\n",
			       repository->alias, repository->source, repository->suite,
			       repository->components);
		if (r == 0 && (r = add_key_to_request(f, i, &text, err)) < 0)
			return r;
	}
	for (size_t i = 0; r == 0 && i < LOCK_SETS; i++)
		r = add_set_to_request(&f->sets.requests[i], &text);
	if (r < 0)
		return error_system(err, r, "request");
	digest_of(DIGEST_SHA256, text.data, text.len, &digest);
	digest_hex(&digest, f->request);
	return 0;
}

/* From the description alone, so that a host without a network or the archive's keys can do it too. */
static int make_request(struct fetch *f, struct error *err)
{
	int r;

	package_sets_make(f->options->description, &f->sets);
	r = add_repositories(f, err);
	return r < 0 ? r : digest_request(f, err);
}

int packages_check_lock(const struct description *description, const struct lock *lock,
			struct error *err)
{
	const struct fetch_options options = { .description = description };
	__attribute__((cleanup(free_fetch))) struct fetch f = {
		.options = &options,
		.family = &package_family_deb,
	};
	int r = make_request(&f, err);

	if (r < 0)
		return r;
	if (strcmp(lock->request_sha256, f.request) != 0)
		return error_input(err,
				   "the lock was made for other packages or repositories than %s "
				   "names now: run \"kiln fetch %s\"",
				   description->file, description->directory);
	return 0;
}

/* ---------------------------------------------------------------- the lock */

/* *ret stays NULL when there is no lock for this request. */
static int read_fitting_lock(const struct fetch *f, struct lock **ret, struct error *err)
{
	CLEANUP_LOCK struct lock *lock = NULL;
	const char *path = f->options->lock_path;
	int r;

	if (f->options->update || !io_exists(path))
		return 0;
	r = lock_read(path, &lock, err);
	if (r < 0)
		return error_wrap(err, "cannot use the lock (kiln fetch --update makes it anew)");
	if (strcmp(lock->request_sha256, f->request) != 0) {
		log_info("%s is for another request: resolving anew", path);
		return 0;
	}
	*ret = TAKE_PTR(lock);
	return 0;
}

static int resolve(struct fetch *f, struct lock **ret, struct error *err)
{
	CLEANUP_LOCK struct lock *lock = lock_new();
	struct resolve_request request = {
		.repositories = f->repositories,
		.roots = (const char *const *)f->root_urls,
		.keyrings = (const char *const *)f->keyrings,
		.repository_count = (unsigned int)f->count,
		.sets = f->sets.requests,
		.set_count = LOCK_SETS,
		.arch = ARCHITECTURE,
		.state = f->state,
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < f->count; i++)
		r = roots_find(&f->roots, f->repositories[i].source, f->repositories[i].suite,
			       &f->root_urls[i], err);
	if (r == 0)
		r = f->family->resolve(&request, lock, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < lock->repository_count; i++)
		if (lock->repositories[i].date > lock->epoch)
			lock->epoch = lock->repositories[i].date;
	memcpy(lock->request_sha256, f->request, sizeof(lock->request_sha256));
	*ret = TAKE_PTR(lock);
	return 0;
}

/* ---------------------------------------------------------------- packages */

struct missing {
	struct download *items;
	size_t count;
	char **roots; /* of the lock's repositories */
	size_t root_count;
};

static void free_missing(struct missing *m)
{
	for (size_t i = 0; i < m->root_count; i++)
		free(m->roots[i]);
	free(m->roots);
	free(m->items);
}

static int find_lock_roots(struct fetch *f, const struct lock *lock, struct missing *m,
			   struct error *err)
{
	int r = 0;

	m->roots = memory_new((lock->repository_count + 1) * sizeof(*m->roots));
	m->root_count = lock->repository_count;
	for (size_t i = 0; r == 0 && i < lock->repository_count; i++)
		r = roots_find(&f->roots, lock->repositories[i].source, lock->repositories[i].suite,
			       &m->roots[i], err);
	return r;
}

static bool is_listed(const struct missing *m, const struct locked_package *package)
{
	for (size_t i = 0; i < m->count; i++)
		if (strcmp(m->items[i].package->sha256, package->sha256) == 0)
			return true;
	return false;
}

/* A damaged object counts as missing: fetching is how the store heals. */
static void note_missing(const struct fetch *f, const struct locked_package *package,
			 struct missing *m)
{
	CLEANUP_FREE char *path = NULL;
	struct error why = ERROR_INIT;
	struct download *item;

	if (store_verified(f->store, package->sha256, package->name, &path, &why) == 0 ||
	    is_listed(m, package))
		return;
	item = memory_append(&m->items, m->count, sizeof(*item));
	m->count++;
	item->package = package;
}

static int set_root(const struct lock *lock, const struct missing *m, struct download *item,
		    struct error *err)
{
	for (size_t i = 0; i < lock->repository_count; i++) {
		if (strcmp(lock->repositories[i].alias, item->package->repository) == 0) {
			item->root = m->roots[i];
			return 0;
		}
	}
	return error_input(err,
			   "package %s is locked from repository %s, which the lock does not have",
			   item->package->name, item->package->repository);
}

static int fetch_missing(struct fetch *f, const struct lock *lock, struct error *err)
{
	__attribute__((cleanup(free_missing))) struct missing m = { .items = NULL };
	CLEANUP_APT struct apt apt = { NULL, NULL };
	int r = 0;

	for (size_t set = 0; set < LOCK_SETS; set++)
		for (size_t i = 0; i < lock->sets[set].count; i++)
			note_missing(f, &lock->sets[set].packages[i], &m);
	if (m.count == 0)
		return 0;
	log_debug("%zu packages are not in the store", m.count);
	r = find_lock_roots(f, lock, &m, err);
	for (size_t i = 0; r == 0 && i < m.count; i++)
		r = set_root(lock, &m, &m.items[i], err);
	if (r == 0)
		r = apt_open(f->state, ARCHITECTURE, &apt, err);
	if (r == 0)
		r = download_packages(m.items, m.count, f->downloads, &apt, f->store, err);
	return r;
}

/* Mirrors drop a package some time after its successor has come. */
static int advise(struct error *err)
{
	const struct error cause = *err;

	if (cause.code == EINTR || cause.kind != ERROR_OUTSIDE)
		return -cause.code;
	return error_outside(err,
			     "%.1500s; if the mirror no longer has what the lock names, take newer "
			     "packages (kiln fetch --update) or another mirror (--mirror)",
			     cause.message);
}

static int make_index(const struct fetch *f, struct lock_set *set, enum lock_set_id id,
		      struct error *err)
{
	CLEANUP_FREE char *path = NULL;
	struct error absent = ERROR_INIT;
	char sha256[65] = "";
	int r;

	if (set->count == 0)
		return 0;
	if (set->index_sha256[0] &&
	    store_verified(f->store, set->index_sha256, "index", &path, &absent) == 0)
		return 0;
	r = f->family->index(f->store, set, sha256, err);
	if (r < 0)
		return error_wrap(err, "index of the %s set", lock_set_names[id]);
	if (set->index_sha256[0] && strcmp(set->index_sha256, sha256) != 0)
		return error_input(err,
				   "index of the %s set: the lock says %s, its packages give %s",
				   lock_set_names[id], set->index_sha256, sha256);
	memcpy(set->index_sha256, sha256, sizeof(set->index_sha256));
	return 0;
}

static int make_indexes(const struct fetch *f, struct lock *lock, struct error *err)
{
	int r = 0;

	for (unsigned int set = 0; r == 0 && set < LOCK_SETS; set++)
		r = make_index(f, &lock->sets[set], set, err);
	return r;
}

/* ---------------------------------------------------------------- all of it */

static int fetch_locked(struct fetch *f, struct lock **ret, struct error *err)
{
	CLEANUP_LOCK struct lock *lock = NULL;
	bool reused;
	int r;

	r = read_fitting_lock(f, &lock, err);
	if (r < 0)
		return r;
	reused = lock != NULL;
	log_step_begin(1, STEPS, "resolve packages");
	r = reused ? 0 : resolve(f, &lock, err);
	log_step_end(r < 0 ? "failed" : reused ? "reused" : "done");
	if (r < 0)
		return r;
	log_step_begin(2, STEPS, "download packages");
	r = fetch_missing(f, lock, err);
	log_step_end(r < 0 ? "failed" : "done");
	if (r < 0)
		return reused ? advise(err) : r;
	log_step_begin(3, STEPS, "index packages");
	r = make_indexes(f, lock, err);
	log_step_end(r < 0 ? "failed" : "done");
	if (r == 0 && !reused)
		r = lock_write(lock, f->options->lock_path, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(lock);
	return 0;
}

int packages_fetch(const struct fetch_options *options, const struct store *store,
		   struct lock **ret, struct error *err)
{
	__attribute__((cleanup(free_fetch))) struct fetch f = {
		.options = options,
		.store = store,
		.family = &package_family_deb,
		.roots = { .given = options->mirror, .etc_apt = HOST_SOURCES },
		.state = path_join(options->cache, "apt"),
		.downloads = path_join(options->cache, "downloads"),
	};
	CLEANUP_FREE char *lock_file = path_join(options->cache, "fetch.lock");
	CLEANUP_CLOSE int lock = -1;
	int r;

	r = make_request(&f, err);
	if (r == 0)
		r = find_keyrings(&f, err);
	if (r == 0)
		r = io_mkdirs(options->cache, 0755, err);
	/* One at a time: the second will find in the store what the first has brought. */
	if (r == 0)
		r = io_lock(lock_file, &lock, err);
	if (r < 0)
		return r;
	return fetch_locked(&f, ret, err);
}
