/* SPDX-License-Identifier: Apache-2.0 */
#include "resolution.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/digest.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/model/architecture.h"
#include "../../factory/model/memory.h"
#include "locked_source.h"
#include "packages.h"
#include "release.h"

#define RELEASE_MAX (16 << 20)

static void copy_repository(const struct locked_repository *from, struct lock *lock)
{
	struct locked_repository *to =
		memory_append(&lock->repositories, lock->repository_count, sizeof(*to));

	lock->repository_count++;
	to->alias = string_copy(from->alias);
	to->source = string_copy(from->source);
	to->suite = string_copy(from->suite);
	to->components = string_copy(from->components);
}

static int hash_keyring(const struct resolution *res, size_t i,
			struct locked_repository *repository, struct error *err)
{
	CLEANUP_FREE char *path = apt_keyring(&res->apt, res->request, i);
	char hex[2 * DIGEST_MAX + 1];
	struct digest digest;
	int r;

	r = digest_file(DIGEST_SHA256, path, &digest, NULL, err);
	if (r < 0)
		return r;
	digest_hex(&digest, hex);
	memcpy(repository->keyring_sha256, hex, sizeof(repository->keyring_sha256));
	return 0;
}

/* A repository is named by its number among the sources, "…/kiln.sources:2". */
static bool parse_entry(struct text entry, size_t count, unsigned int *ret)
{
	const char *colon = memrchr(entry.data, ':', entry.size);
	unsigned int number = 0;

	if (!colon)
		return false;
	for (const char *p = colon + 1; p < entry.data + entry.size; p++) {
		if (!isdigit((unsigned char)*p) || number > count)
			return false;
		number = number * 10 + (unsigned int)(*p - '0');
	}
	*ret = number - 1;
	return number >= 1 && number <= count;
}

/* The list of "main/binary-amd64/Packages" lies at BASE_main_binary-amd64_Packages, beside BASE_InRelease. */
static int find_release(struct text list, struct text meta_key, char **ret, struct error *err)
{
	static const char *const names[] = { "InRelease", "Release" };

	for (size_t i = 0; list.size > meta_key.size && i < ARRAY_SIZE(names); i++) {
		CLEANUP_FREE char *path = string_printf("%.*s%s", (int)(list.size - meta_key.size),
							list.data, names[i]);

		if (io_exists(path)) {
			*ret = TAKE_PTR(path);
			return 0;
		}
	}
	return error_outside(err, "apt kept no Release file beside %.*s", (int)list.size,
			     list.data);
}

static int lock_release(const char *path, struct locked_repository *repository, struct error *err)
{
	CLEANUP_BUF struct buf release = BUF_INIT(RELEASE_MAX);
	char hex[2 * DIGEST_MAX + 1];
	struct digest digest;
	int r;

	r = io_read_file(path, RELEASE_MAX, &release, err);
	if (r < 0)
		return r;
	r = release_date((struct text){ buf_text(&release), release.len }, path, &repository->date,
			 err);
	if (r < 0)
		return error_wrap(err, "repository %s", repository->alias);
	digest_of(DIGEST_SHA256, release.data, release.len, &digest);
	digest_hex(&digest, hex);
	if (repository->release_sha256[0] && strcmp(repository->release_sha256, hex) != 0)
		return error_outside(err, "repository %s has changed while it was read: run \"kiln fetch\" again",
				     repository->alias);
	memcpy(repository->release_sha256, hex, sizeof(repository->release_sha256));
	return 0;
}

/* "SOURCE-ENTRY META-KEY FILE" as asked for in load_lists(). */
static int load_list(struct resolution *res, struct text line, struct lock *lock, struct error *err)
{
	CLEANUP_FREE char *release = NULL, *path = NULL;
	struct text entry, meta_key, file;
	unsigned int i;
	int r;

	/* One more than there are repositories is the source of locked packages. */
	if (!text_word(&line, &entry) || !text_word(&line, &meta_key) || !text_word(&line, &file) ||
	    !parse_entry(entry, res->request->repository_count + 1, &i))
		return error_outside(err, "apt-get indextargets: cannot make sense of its output");
	path = text_copy(file);
	r = package_lists_add(&res->lists, path, i, err);
	if (i == res->request->repository_count)
		return r;
	if (r == 0)
		r = find_release(file, meta_key, &release, err);
	if (r == 0)
		r = lock_release(release, &lock->repositories[i], err);
	return r;
}

static int load_lists(struct resolution *res, struct lock *lock, struct error *err)
{
	static const char *const arguments[] = {
		"indextargets",		"--format", "$(SOURCESENTRY) $(METAKEY) $(FILENAME)",
		"Identifier: Packages", NULL,
	};
	CLEANUP_BUF struct buf output = BUF_INIT(APT_OUTPUT_MAX);
	struct text rest, line;
	int r;

	r = apt_get(&res->apt, arguments, &output, err);
	rest = (struct text){ buf_text(&output), output.len };
	while (r == 0 && text_line(&rest, &line))
		r = load_list(res, line, lock, err);
	if (r < 0)
		return r;
	package_lists_sort(&res->lists);
	return 0;
}

static int write_locked_source(const struct resolution *res, struct error *err)
{
	CLEANUP_FREE char *dir = apt_locked_source(&res->apt);

	return locked_source_write(res->request, res->arch, dir, err);
}

static int update_lists(struct resolution *res, struct lock *lock, struct error *err)
{
	static const char *const arguments[] = { "update", NULL };
	CLEANUP_BUF struct buf output = BUF_INIT(APT_OUTPUT_MAX);
	const struct resolve_request *request = res->request;
	int r;

	r = apt_write_sources(&res->apt, request, err);
	if (r == 0 && request->store)
		r = write_locked_source(res, err);
	if (r < 0)
		return r;
	r = apt_get(&res->apt, arguments, &output, err);
	if (r < 0)
		return error_wrap(err, "cannot read the repositories (%s)", res->suites);
	for (size_t i = lock->repository_count; r == 0 && i < request->repository_count; i++) {
		copy_repository(&request->repositories[i], lock);
		r = hash_keyring(res, i, &lock->repositories[i], err);
	}
	return r < 0 ? r : load_lists(res, lock, err);
}

static char *join_suites(const struct resolve_request *request)
{
	char *suites = string_copy("");

	for (size_t i = 0; i < request->repository_count; i++) {
		char *longer = string_printf("%s%s%s", suites, i ? ", " : "",
					     request->repositories[i].suite);

		free(suites);
		suites = longer;
	}
	return suites;
}

/* apt drops the lists of an architecture that it is not told of: one that is not this machine's has its own. */
static char *state_of(const struct resolution *res)
{
	const char *state = res->request->state;

	return strcmp(res->arch, architecture_host()->deb) == 0 ? string_copy(state) : path_join(state, res->arch);
}

int resolution_update(struct resolution *res, struct lock *lock, struct error *err)
{
	const struct resolve_request *request = res->request;
	CLEANUP_FREE char *state = state_of(res);
	int r;

	res->suites = join_suites(request);
	r = apt_open(state, res->arch, &res->apt, err);
	if (r == 0)
		r = update_lists(res, lock, err);
	return r;
}
