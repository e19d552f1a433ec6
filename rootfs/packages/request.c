/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <stdlib.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/digest.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/model/architecture.h"
#include "../../factory/model/description.h"
#include "../../factory/model/memory.h"

#define REQUEST_MAX (1 << 20)

void fetch_request_free(struct fetch_request *request)
{
	free(request->repositories);
	package_sets_free(&request->sets);
	*request = (struct fetch_request){.count = 0};
}

/* ---------------------------------------------------------------- repositories */

int fetch_request_keyring(const struct fetch_request *request, size_t i, char **ret,
			  struct error *err)
{
	static const char *const debian[] = {
		"/usr/share/keyrings/debian-archive-keyring.gpg",
		"/usr/share/keyrings/debian-archive-keyring.pgp",
	};
	const struct description *d = request->description;
	const struct description_repository *repository = &d->repositories[i];

	if (repository->signing_key) {
		*ret = string_copy(repository->signing_key);
		return 0;
	}
	if (strncmp(repository->path, "distro:", 7) != 0)
		return error_input(err,
				   "%s:%d: repository %s has no signing key: only \"distro:\" "
				   "repositories can do without",
				   d->file, repository->line, repository->alias);
	for (size_t k = 0; k < ARRAY_SIZE(debian); k++) {
		if (io_exists(debian[k])) {
			*ret = string_copy(debian[k]);
			return 0;
		}
	}
	return error_outside(err,
			     "the keys of Debian's archive are not there (%s): install the package "
			     "debian-archive-keyring",
			     debian[0]);
}

static int add_repository(struct fetch_request *request,
			  const struct description_repository *repository, struct error *err)
{
	for (size_t i = 0; i < request->count; i++)
		if (strcmp(request->repositories[i].alias, repository->alias) == 0)
			return error_input(err, "%s:%d: a repository %s was there before",
					   request->description->file, repository->line,
					   repository->alias);
	request->repositories[request->count] = (struct locked_repository){
		.alias = repository->alias,
		.source = repository->path,
		.suite = repository->distribution,
		.components = repository->components,
	};
	request->count++;
	return 0;
}

static int add_repositories(struct fetch_request *request, struct error *err)
{
	const struct description *d = request->description;
	int r = 0;

	request->repositories =
		memory_new((d->repository_count + 1) * sizeof(*request->repositories));
	for (size_t i = 0; r == 0 && i < d->repository_count; i++)
		r = add_repository(request, &d->repositories[i], err);
	if (r == 0 && request->count == 0)
		r = error_input(err, "%s: the description names no repository", d->file);
	return r;
}

/* ---------------------------------------------------------------- its digest */

/* A key of the description's own is part of the request; the host's copy of the distribution's is not. */
static int add_key(const struct fetch_request *request, size_t i, struct buf *text,
		   struct error *err)
{
	const char *key = request->description->repositories[i].signing_key;
	char hex[2 * DIGEST_MAX + 1];
	struct digest digest;
	int r;

	if (!key)
		return 0;
	r = digest_file(DIGEST_SHA256, key, &digest, NULL, err);
	if (r < 0)
		return error_wrap(err, "signing key of repository %s",
				  request->repositories[i].alias);
	digest_hex(&digest, hex);
	r = buf_printf(text, "key %s\n", hex);
	return r < 0 ? error_system(err, r, "request") : 0;
}

static int add_set(const struct package_set_request *set, struct buf *text)
{
	int r = buf_printf(text, "set %s %d\n", lock_set_names[set->set], set->reach);

	for (size_t i = 0; r == 0 && set->names[i]; i++)
		r = buf_printf(text, "package %s\n", set->names[i]);
	for (size_t i = 0; r == 0 && set->excluded[i]; i++)
		r = buf_printf(text, "without %s\n", set->excluded[i]);
	return r;
}

static int digest_request(struct fetch_request *request, struct error *err)
{
	const struct architecture *arch = request->description->arch, *tools = architecture_host();
	CLEANUP_BUF struct buf text = BUF_INIT(REQUEST_MAX);
	char hex[2 * DIGEST_MAX + 1];
	struct digest digest;
	int r;

	r = buf_printf(&text, "request 1\nfamily %s\narchitecture %s\n", package_family_deb.name,
		       arch->deb);
	if (r == 0 && arch != tools)
		r = buf_printf(&text, "tools %s\n", tools->deb);
	for (size_t i = 0; r == 0 && i < request->count; i++) {
		const struct locked_repository *repository = &request->repositories[i];

		r = buf_printf(&text, "repository %s\nsource %s\nsuite %s\ncomponents %s\n",
			       repository->alias, repository->source, repository->suite,
			       repository->components);
		if (r == 0 && (r = add_key(request, i, &text, err)) < 0)
			return r;
	}
	for (size_t i = 0; r == 0 && i < LOCK_SETS; i++)
		r = add_set(&request->sets.requests[i], &text);
	if (r < 0)
		return error_system(err, r, "request");
	digest_of(DIGEST_SHA256, text.data, text.len, &digest);
	digest_hex(&digest, hex);
	memcpy(request->sha256, hex, sizeof(request->sha256));
	return 0;
}

int fetch_request_make(const struct description *description, struct fetch_request *ret,
		       struct error *err)
{
	CLEANUP_FETCH_REQUEST struct fetch_request request = {.description = description};
	int r;

	package_sets_make(description, &request.sets);
	r = add_repositories(&request, err);
	if (r == 0)
		r = digest_request(&request, err);
	if (r < 0)
		return r;
	*ret = request;
	request = (struct fetch_request){.count = 0};
	return 0;
}

/* Their packages are in the lock, so it is for machines of one kind. */
static int check_tools(const struct description *description, const struct lock *lock, struct error *err)
{
	const char *tools = architecture_host()->deb;
	const struct lock_set *set = &lock->sets[LOCK_BUILDER];

	for (size_t i = 0; i < set->count; i++) {
		const char *arch = set->packages[i].architecture;

		if (strcmp(arch, "all") != 0 && strcmp(arch, tools) != 0)
			return error_input(err,
					   "the lock's tools run on %s, and this machine is %s: run "
					   "\"kiln fetch %s\" here",
					   arch, tools, description->directory);
	}
	return 0;
}

int packages_check_lock(const struct description *description, const struct lock *lock,
			struct error *err)
{
	CLEANUP_FETCH_REQUEST struct fetch_request request = {.count = 0};
	int r = check_tools(description, lock, err);

	if (r == 0)
		r = fetch_request_make(description, &request, err);

	if (r < 0)
		return r;
	if (strcmp(lock->request_sha256, request.sha256) != 0)
		return error_input(err,
				   "the lock was made for other packages or repositories than %s "
				   "names now: run \"kiln fetch %s\"",
				   description->file, description->directory);
	return 0;
}
