/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/hex.h"
#include "../../factory/base/io.h"
#include "../../factory/base/log.h"
#include "../../factory/model/memory.h"
#include "apt_output.h"
#include "deb_index.h"
#include "hold.h"
#include "locked_source.h"
#include "packages.h"
#include "resolution.h"

#define NAMES_MAX 1000

/* Policy 5.6.7. What apt-get reads as more than a name (options, "=", "/", patterns) must not get to it. */
static bool is_package_name(const char *name)
{
	if (!islower((unsigned char)name[0]) && !isdigit((unsigned char)name[0]))
		return false;
	for (const char *p = name; *p; p++)
		if (!islower((unsigned char)*p) && !isdigit((unsigned char)*p) &&
		    !strchr("+-.", *p))
			return false;
	return true;
}

static int check_names(const struct resolution *res, const struct package_set_request *set,
		       struct error *err)
{
	for (size_t i = 0; set->names[i]; i++) {
		const char *name = set->names[i];
		const char *origin = set->origins[i];

		if (!origin && name[0] == '?')
			continue;
		if (origin && !is_package_name(name))
			return error_input(err, "%s: \"%s\" is no name of a Debian package", origin,
					   name);
		if (package_lists_know(&res->lists, name))
			continue;
		if (origin)
			return error_input(err, "%s: package %s does not exist in %s", origin, name,
					   res->suites);
		return error_input(err,
				   "package %s, which Kiln needs for its %s set, does not exist "
				   "in %s",
				   name, lock_set_names[set->set], res->suites);
	}
	return 0;
}

/* ---------------------------------------------------------------- sets */

static size_t count_strings(const char *const *list)
{
	size_t count = 0;

	while (list[count])
		count++;
	return count;
}

/* "install --print-uris -y NAME... EXCLUDED-..." or "download --print-uris -y NAME..." */
static char **make_arguments(const struct resolution *res, const struct package_set_request *set)
{
	bool closure = set->reach == REACH_CLOSURE;
	size_t room = 4 + count_strings(set->names) + count_strings(set->excluded), count = 0;
	char **argv = memory_new(room * sizeof(*argv));

	argv[count++] = string_copy(closure ? "install" : "download");
	argv[count++] = string_copy("--print-uris");
	argv[count++] = string_copy("-y");
	for (size_t i = 0; set->names[i]; i++)
		argv[count++] = string_copy(set->names[i]);
	/* What the archive does not have cannot get in, and apt would stumble over its name. */
	for (size_t i = 0; closure && set->excluded[i]; i++)
		if (is_package_name(set->excluded[i]) &&
		    package_lists_know(&res->lists, set->excluded[i]))
			argv[count++] = string_printf("%s-", set->excluded[i]);
	return argv;
}

static void free_arguments(char ***argv)
{
	for (size_t i = 0; *argv && (*argv)[i]; i++)
		free((*argv)[i]);
	free(*argv);
}

/* apt explains on standard output why the names do not go together; its error alone does not help. */
static int explain(const struct package_set_request *set, struct text output, struct error *err)
{
	const char *name = lock_set_names[set->set];
	struct text dependent;
	char unmet[1024];

	for (size_t i = 0; set->excluded[i]; i++)
		if (apt_output_dependent(output, set->excluded[i], &dependent))
			return error_input(err,
					   "package %s is ignored by the description, but %.*s "
					   "depends on it",
					   set->excluded[i], (int)dependent.size, dependent.data);
	if (!apt_output_unmet(output, unmet, sizeof(unmet)))
		return error_wrap(err, "set %s", name);
	return error_input(err, "set %s: the packages do not go together: %s", name, unmet);
}

static int read_size(struct text value, uint64_t *ret)
{
	uint64_t size = 0;

	if (value.size == 0)
		return -EINVAL;
	for (size_t i = 0; i < value.size; i++) {
		if (!isdigit((unsigned char)value.data[i]) ||
		    __builtin_mul_overflow(size, 10, &size) ||
		    __builtin_add_overflow(size, (uint64_t)(value.data[i] - '0'), &size))
			return -EINVAL;
	}
	*ret = size;
	return 0;
}

static struct locked_package *append(struct lock_set *set)
{
	return memory_append(&set->packages, set->count++, sizeof(*set->packages));
}

/* Only the store has it any more: it stays what it was. */
static int add_kept(const struct resolution *res, const char *sha256, struct lock_set *set,
		    struct error *err)
{
	const struct locked_package *kept = locked_source_find(res->request, sha256);
	struct locked_package *package;

	if (!kept)
		return error_outside(err, "apt chose a package that the lock before does not name");
	package = append(set);
	package->name = string_copy(kept->name);
	package->version = string_copy(kept->version);
	package->architecture = string_copy(kept->architecture);
	package->repository = string_copy(kept->repository);
	package->path = string_copy(kept->path);
	package->size = kept->size;
	memcpy(package->sha256, kept->sha256, sizeof(package->sha256));
	return 0;
}

static int add_locked(const struct resolution *res, const struct listed_package *listed,
		      struct lock_set *set, struct error *err)
{
	struct text version, architecture, path, size;
	struct locked_package *package;
	char sha256[65];
	uint64_t bytes;

	hex_encode(listed->sha256, sizeof(listed->sha256), sha256);
	if (listed->repository == res->request->repository_count)
		return add_kept(res, sha256, set, err);
	if (!stanza_field(listed->stanza, "Version", &version) ||
	    !stanza_field(listed->stanza, "Architecture", &architecture) ||
	    !stanza_field(listed->stanza, "Filename", &path) ||
	    !stanza_field(listed->stanza, "Size", &size) || read_size(size, &bytes) < 0)
		return error_outside(err, "package %.*s: its entry in %s is incomplete",
				     (int)listed->name.size, listed->name.data,
				     res->request->repositories[listed->repository].alias);
	package = append(set);
	package->name = text_copy(listed->name);
	package->version = text_copy(version);
	package->architecture = text_copy(architecture);
	package->repository = string_copy(res->request->repositories[listed->repository].alias);
	/* A flat repository's paths begin with "./". */
	while (path.size > 2 && path.data[0] == '.' && path.data[1] == '/') {
		path.data += 2;
		path.size -= 2;
	}
	package->path = text_copy(path);
	package->size = bytes;
	memcpy(package->sha256, sha256, sizeof(package->sha256));
	return 0;
}

typedef int (*chosen_fn)(const struct resolution *res, const struct listed_package *listed,
			 void *data, struct error *err);

static bool is_excluded(const struct package_set_request *set, struct text output)
{
	struct text dependent;

	for (size_t i = 0; set->excluded[i]; i++)
		if (apt_output_dependent(output, set->excluded[i], &dependent))
			return true;
	return false;
}

/* Asks apt, and again while that helps with less that is held. */
static int ask(const struct resolution *res, const struct package_set_request *set,
	       struct hold *hold, struct buf *output, struct error *err)
{
	__attribute__((cleanup(free_arguments))) char **argv = make_arguments(res, set);
	CLEANUP_FREE char *preferences = apt_preferences(&res->apt);
	struct text said;
	int r;

	for (;;) {
		struct error why = ERROR_INIT;

		r = hold_write(hold, preferences, err);
		if (r < 0)
			return r;
		buf_truncate(output, 0);
		r = apt_get(&res->apt, (const char *const *)argv, output, &why);
		if (r == 0)
			return 0;
		said = (struct text){buf_text(output), output->len};
		if (r == -EINTR || is_excluded(set, said) || !hold_relax(hold, said)) {
			*err = why;
			return r == -EINTR ? r : explain(set, said, err);
		}
	}
}

/* Asks apt and hands every package it chose to `chosen`. */
static int choose(const struct resolution *res, const struct package_set_request *set,
		  struct hold *hold, chosen_fn chosen, void *data, struct error *err)
{
	CLEANUP_BUF struct buf output = BUF_INIT(APT_OUTPUT_MAX);
	struct text rest, line;
	uint8_t sha256[32];
	int r;

	r = ask(res, set, hold, &output, err);
	rest = (struct text){buf_text(&output), output.len};
	while (r == 0 && text_line(&rest, &line)) {
		const struct listed_package *listed;

		if (!apt_output_choice(line, sha256))
			continue;
		listed = package_lists_find(&res->lists, sha256);
		r = listed ? chosen(res, listed, data, err)
			   : error_outside(err, "apt chose what no list of packages names: %.*s",
					   (int)line.size, line.data);
	}
	return r;
}

static int chosen_for_lock(const struct resolution *res, const struct listed_package *listed,
			   void *data, struct error *err)
{
	return add_locked(res, listed, data, err);
}

/* The name that a package's Depends begins with. */
static int chosen_for_dependency(const struct resolution *res, const struct listed_package *listed,
				 void *data, struct error *err)
{
	struct text depends, name;
	char **ret = data;

	(void)res;
	if (!stanza_field(listed->stanza, "Depends", &depends) || !text_word(&depends, &name))
		return error_outside(err,
				     "package %.*s was to stand for another and depends on none",
				     (int)listed->name.size, listed->name.data);
	while (name.size > 0 && name.data[name.size - 1] == ',')
		name.size--;
	free(*ret);
	*ret = text_copy(name);
	return 0;
}

/* "linux-image-6.12-cloud-amd64" for "linux-image-cloud-amd64": a metapackage's name with the version in it. */
static bool is_behind(const char *name, const char *metapackage)
{
	size_t same = 0, size = strlen(name), meta_size = strlen(metapackage);

	while (metapackage[same] && name[same] == metapackage[same])
		same++;
	return same < meta_size && size > meta_size &&
	       strcmp(name + size - (meta_size - same), metapackage + same) == 0;
}

static bool is_listed(const struct resolution *res, const struct locked_package *package)
{
	uint8_t sha256[32];

	return hex_decode(package->sha256, sha256, sizeof(sha256)) == 0 &&
	       package_lists_find(&res->lists, sha256);
}

/* The lock does not have the metapackage itself, so what stood behind it is known by its name. */
static const char *held_behind(const struct resolution *res, const struct hold *hold,
			       const char *metapackage)
{
	for (const char *const *moving = res->request->moving; moving && *moving; moving++)
		if (strcmp(*moving, metapackage) == 0)
			return NULL;
	for (size_t i = 0; i < hold->count; i++)
		if (is_behind(hold->packages[i]->name, metapackage) &&
		    is_listed(res, hold->packages[i]))
			return hold->packages[i]->name;
	return NULL;
}

/* One name at a time: there is one such set, with one name. */
static int resolve_behind(const struct resolution *res, const struct package_set_request *set,
			  struct hold *hold, struct lock_set *ret, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && set->names[i]; i++) {
		const char *held = held_behind(res, hold, set->names[i]);
		CLEANUP_FREE char *behind = held ? string_copy(held) : NULL;
		const char *names[2] = {set->names[i], NULL};
		const char *origins[2] = {set->origins[i], NULL};
		struct package_set_request one = *set;

		one.names = names;
		one.origins = origins;
		if (!behind)
			r = choose(res, &one, hold, chosen_for_dependency, &behind, err);
		if (r < 0)
			break;
		names[0] = behind;
		r = choose(res, &one, hold, chosen_for_lock, ret, err);
	}
	return r;
}

static int compare_locked(const void *a, const void *b)
{
	const struct locked_package *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : strcmp(x->architecture, y->architecture);
}

static int check_excluded(const struct package_set_request *set, const struct lock_set *got,
			  struct error *err)
{
	for (size_t i = 0; set->excluded[i]; i++)
		for (size_t k = 0; k < got->count; k++)
			if (strcmp(got->packages[k].name, set->excluded[i]) == 0)
				return error_input(err,
						   "package %s is ignored by the description, but "
						   "other packages cannot do without it",
						   set->excluded[i]);
	return 0;
}

static int resolve_set(const struct resolution *res, const struct package_set_request *set,
		       struct lock_set *ret, struct error *err)
{
	const struct lock *before = res->request->before;
	CLEANUP_HOLD struct hold hold = {.count = 0};
	int r;

	if (!set->names[0])
		return 0;
	hold_make(before ? &before->sets[set->set] : NULL, res->request->moving, &hold);
	r = check_names(res, set, err);
	if (r < 0)
		return r;
	if (set->reach == REACH_BEHIND)
		r = resolve_behind(res, set, &hold, ret, err);
	else
		r = choose(res, set, &hold, chosen_for_lock, ret, err);
	if (r < 0)
		return r;
	if (ret->count > 0)
		qsort(ret->packages, ret->count, sizeof(*ret->packages), compare_locked);
	return check_excluded(set, ret, err);
}

static bool only_store_has(const struct resolution *res, const struct locked_package *package)
{
	const struct listed_package *listed;
	uint8_t sha256[32];

	if (hex_decode(package->sha256, sha256, sizeof(sha256)) < 0)
		return false;
	listed = package_lists_find(&res->lists, sha256);
	return listed && listed->repository == res->request->repository_count;
}

static bool is_in_earlier_set(const struct lock *lock, size_t set,
			      const struct locked_package *package)
{
	const struct locked_package *same;

	for (size_t s = 0; s < set; s++) {
		same = lock_find(lock, s, package->name);
		if (same && strcmp(same->sha256, package->sha256) == 0)
			return true;
	}
	return false;
}

/* Such a lock can be fetched only where the packages are already. */
static void warn_of_kept(const struct resolution *res, const struct lock *lock)
{
	CLEANUP_BUF struct buf names = BUF_INIT(NAMES_MAX);
	const char *last = "";

	for (size_t s = 0; s < res->request->set_count; s++) {
		const struct package_set_request *request = &res->request->sets[s];
		const struct lock_set *set = &lock->sets[request->set];

		for (size_t i = 0; i < set->count && strcmp(request->arch, res->arch) == 0; i++) {
			const struct locked_package *package = &set->packages[i];

			if (!only_store_has(res, package) ||
			    is_in_earlier_set(lock, request->set, package))
				continue;
			last = package->name;
			(void)buf_printf(&names, "%s%s", names.len ? ", " : " ", last);
		}
	}
	if (last[0])
		log_warning("only the store still has%s: the archive has newer ones (--update)",
			    buf_text(&names));
}

static void free_resolution(struct resolution *res)
{
	package_lists_free(&res->lists);
	apt_close(&res->apt);
	free(res->suites);
}

/* All sets of one architecture: apt is told of no other, so that no name needs to say which it means. */
static int resolve_architecture(const struct resolve_request *request, const char *arch, struct lock *lock,
				struct error *err)
{
	__attribute__((cleanup(free_resolution))) struct resolution res = {
		.request = request, .arch = arch,
	};
	int r;

	r = resolution_update(&res, lock, err);
	for (size_t i = 0; r == 0 && i < request->set_count; i++) {
		const struct package_set_request *set = &request->sets[i];

		if (strcmp(set->arch, arch) == 0)
			r = resolve_set(&res, set, &lock->sets[set->set], err);
	}
	if (r == 0 && request->store)
		warn_of_kept(&res, lock);
	return r;
}

static bool is_done(const struct resolve_request *request, size_t set)
{
	for (size_t i = 0; i < set; i++)
		if (strcmp(request->sets[i].arch, request->sets[set].arch) == 0)
			return true;
	return false;
}

static int deb_resolve(const struct resolve_request *request, struct lock *lock, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < request->set_count; i++)
		if (!is_done(request, i))
			r = resolve_architecture(request, request->sets[i].arch, lock, err);
	for (size_t i = 0; r == 0 && i < lock->repository_count; i++)
		if (!lock->repositories[i].release_sha256[0])
			r = error_input(err, "repository %s: %s has no packages for %s in %s",
					lock->repositories[i].alias, lock->repositories[i].suite,
					request->sets[0].arch, lock->repositories[i].components);
	return r;
}

const struct package_family package_family_deb = {
	.name = "apt",
	.resolve = deb_resolve,
	.index = deb_index,
};
