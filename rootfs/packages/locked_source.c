/* SPDX-License-Identifier: Apache-2.0 */
#include "locked_source.h"

#include <stdbool.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/digest.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/base/log.h"
#include "deb_index.h"
#include "packages.h"
#include "store.h"

#define LIST_MAX (64 << 20)

static bool same_repository(const struct locked_repository *a, const struct locked_repository *b)
{
	return strcmp(a->alias, b->alias) == 0 && strcmp(a->source, b->source) == 0 &&
	       strcmp(a->suite, b->suite) == 0;
}

static bool is_asked_for(const struct resolve_request *request, const char *alias)
{
	const struct lock *before = request->before;

	for (size_t i = 0; i < before->repository_count; i++) {
		const struct locked_repository *was = &before->repositories[i];

		if (strcmp(was->alias, alias) != 0)
			continue;
		for (size_t k = 0; k < request->repository_count; k++)
			if (same_repository(was, &request->repositories[k]))
				return true;
	}
	return false;
}

const struct locked_package *locked_source_find(const struct resolve_request *request,
						const char *sha256)
{
	for (size_t s = 0; s < LOCK_SETS; s++) {
		const struct lock_set *set = &request->before->sets[s];

		for (size_t i = 0; i < set->count; i++)
			if (strcmp(set->packages[i].sha256, sha256) == 0)
				return &set->packages[i];
	}
	return NULL;
}

/* A package of several sets is listed by the first. */
static void add_package(const struct resolve_request *request, const char *arch,
			const struct locked_package *package, struct buf *list)
{
	struct error why = ERROR_INIT;

	if (strcmp(package->architecture, arch) != 0 && strcmp(package->architecture, "all") != 0)
		return;
	if (locked_source_find(request, package->sha256) != package ||
	    !store_has(request->store, package->sha256) ||
	    !is_asked_for(request, package->repository))
		return;
	/* A damaged one cannot be kept unless the archive has it. */
	if (deb_index_add(request->store, package, list, &why) < 0)
		log_debug("%s is not offered: %s", package->name, why.message);
}

static int write_release(const char *dir, const struct buf *list, struct error *err)
{
	CLEANUP_BUF struct buf release = BUF_INIT(LIST_MAX);
	CLEANUP_FREE char *path = path_join(dir, "Release");
	char hex[2 * DIGEST_MAX + 1];
	struct digest digest;
	int r;

	digest_of(DIGEST_SHA256, buf_text(list), list->len, &digest);
	digest_hex(&digest, hex);
	r = buf_printf(&release, "Date: Thu, 01 Jan 1970 00:00:01 UTC\nSHA256:\n %s %zu Packages\n",
		       hex, list->len);
	if (r < 0)
		return error_system(err, r, "Release file of the locked packages");
	return io_write_file(path, release.data, release.len, 0644, err);
}

int locked_source_write(const struct resolve_request *request, const char *arch, const char *dir,
			struct error *err)
{
	CLEANUP_BUF struct buf list = BUF_INIT(LIST_MAX);
	CLEANUP_FREE char *path = path_join(dir, "Packages");
	int r;

	for (size_t s = 0; s < LOCK_SETS; s++)
		for (size_t i = 0; i < request->before->sets[s].count; i++)
			add_package(request, arch, &request->before->sets[s].packages[i], &list);
	r = io_mkdirs(dir, 0755, err);
	if (r == 0)
		r = io_write_file(path, buf_text(&list), list.len, 0644, err);
	if (r < 0)
		return r;
	return write_release(dir, &list, err);
}
