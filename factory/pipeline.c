/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../keys/sign.h"
#include "../rootfs/audit/audit.h"
#include "../rootfs/packages/packages.h"
#include "../rootfs/packages/store.h"
#include "../stages/registry.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "cache_evict.h"
#include "full_disk.h"
#include "model/bootfile.h"
#include "model/plan.h"
#include "model/run.h"
#include "publish.h"
#include "run_facts.h"
#include "steps.h"

void pipeline_result_clear(struct pipeline_result *r)
{
	free(r->directory);
	free(r->disk);
	*r = (struct pipeline_result) { .directory = NULL };
}

/* ---------------------------------------------------------------- Kiln's own sources */

static char *source_below(const char *directory)
{
	static const char *const places[] = { "", "/share/kiln" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		CLEANUP_FREE char *root = string_printf("%s%s", directory, places[i]);
		CLEANUP_FREE char *init = path_join(root, "rootfs/init/main.c");

		if (io_exists(init))
			return realpath(root, NULL);
	}
	return NULL;
}

int pipeline_source_root(char **ret, struct error *err)
{
	const char *given = getenv("KILN_SOURCE");
	char path[PATH_MAX];
	ssize_t size;
	char *slash;

	if (given) {
		*ret = source_below(given);
		return *ret ? 0 : error_input(err, "KILN_SOURCE=%s: there is no rootfs/init/main.c", given);
	}
	size = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (size < 0)
		return error_system(err, errno, "/proc/self/exe");
	path[size] = '\0';
	while ((slash = strrchr(path, '/')) && slash != path) {
		*slash = '\0';
		*ret = source_below(path);
		if (*ret)
			return 0;
	}
	return error_input(err, "Kiln's sources for the image lie nowhere above the program: set KILN_SOURCE to the directory that holds rootfs/init");
}

/* ---------------------------------------------------------------- building */

static int read_lock(const char *directory, struct lock **ret, struct error *err)
{
	CLEANUP_FREE char *path = path_join(directory, "kiln.lock");

	if (!io_exists(path))
		return error_input(err, "%s is missing: run \"kiln fetch %s\" first", path, directory);
	return lock_read(path, ret, err);
}

/* Two builds into one directory would mix their results: the log is what they both hold. */
static int open_results(const char *directory, int *ret_lock, struct error *err)
{
	CLEANUP_FREE char *log = path_join(directory, "build.log");
	CLEANUP_CLOSE int lock = -1;
	int r;

	r = io_mkdirs(directory, 0755, err);
	if (r == 0)
		r = io_lock(log, &lock, err);
	if (r == 0)
		r = log_open_file(log, err);
	if (r < 0)
		return r;
	*ret_lock = TAKE_FD(lock);
	return 0;
}

/* What has to be run, and to whoever wants to know, why. */
static int plan_steps(const struct pipeline_options *options, const struct steps_options *steps,
		      struct artifacts *artifacts, struct steps **ret, struct error *err)
{
	CLEANUP_BUF struct buf table = BUF_INIT(SIZE_MAX);
	int r = steps_plan(steps, artifacts, ret, err);

	if (r < 0 || !options->explain)
		return r;
	r = steps_explain(*ret, &table, err);
	if (r == 0 && (fputs(buf_text(&table), options->explain) == EOF || fflush(options->explain) == EOF))
		return error_system(err, errno, "cannot write the table of stages");
	return r;
}

/* Of the disk that is there, as whoever attaches the signature will see it. */
static int write_request(const struct keyring *keyring, const char *directory, const char *name, struct error *err)
{
	CLEANUP_FREE char *disk = string_printf("%s/%s.raw", directory, name);
	CLEANUP_FREE char *path = path_join(directory, PIPELINE_REQUEST);
	CLEANUP_BUF struct buf request = BUF_INIT(SIZE_MAX);
	CLEANUP_BOOTFILE struct bootfile *b = NULL;
	int r = bootfile_open(disk, &b, err);

	if (r == 0)
		r = sign_request(keyring, b->image, b->image_size, &request, err);
	return r < 0 ? r : io_write_file(path, request.data, request.len, 0644, err);
}

static int build(const struct pipeline_options *options, const struct steps_options *steps,
		 const char *directory, struct error *err)
{
	CLEANUP_ARTIFACTS struct artifacts *artifacts = artifacts_new();
	CLEANUP_STEPS struct steps *s = NULL;
	int r = plan_steps(options, steps, artifacts, &s, err);

	if (r < 0 || options->dry_run)
		return r;
	r = steps_run(s, err);
	if (r < 0)
		return r;
	r = publish(artifacts, directory, steps->plan->result_name, err);
	if (r == 0 && options->signature_pending)
		r = write_request(options->keyring, directory, steps->plan->result_name, err);
	if (r == 0)
		r = run_facts_write(steps->run, steps_used_appliance(s), directory, err);
	if (r == 0)
		return 0;
	(void)error_wrap(err, "putting the results in place");
	return full_disk_explain(directory, "make room there, or choose a directory on another disk with -o", err);
}

/* The lock is a file that people edit: what is wrong with it is said of the file. */
static int check_lock(const char *directory, const struct store *store, const struct lock *lock, struct error *err)
{
	int r = packages_check_indexes(store, lock, err);

	return r < 0 ? error_wrap(err, "%s/kiln.lock", directory) : 0;
}

static int run(const struct pipeline_options *options, const struct plan *plan, const char *directory,
	       struct error *err)
{
	CLEANUP_STORE struct store *store = NULL;
	CLEANUP_RUN struct run *facts = run_facts_begin();
	struct steps_options steps = {
		.stages = stage_registry,
		.plan = plan,
		.cache = options->cache,
		.wanted = publish_artifacts,
		.run = facts,
	};
	int r = cache_limit(&steps.cache_limit, err);

	if (r == 0)
		r = store_open(options->cache, &store, err);
	if (r == 0)
		r = check_lock(options->description, store, plan->lock, err);
	steps.store = store;
	return r < 0 ? r : build(options, &steps, directory, err);
}

/* A name that no rule has would accept nothing, and nobody would see it before the audit. */
static int check_exceptions(const struct description *d, struct error *err)
{
	for (size_t i = 0; i < d->exception_count; i++)
		if (!audit_has_rule(d->exceptions[i].rule))
			return error_input(err, "%s:%d: \"%s\" is no rule of \"kiln audit\"", d->file, d->exceptions[i].line,
					   d->exceptions[i].rule);
	return 0;
}

int pipeline_build(const struct pipeline_options *options, struct pipeline_result *ret,
		   struct error *err)
{
	CLEANUP_DESCRIPTION struct description *description = NULL;
	CLEANUP_LOCK struct lock *lock = NULL;
	CLEANUP_PLAN struct plan *plan = NULL;
	CLEANUP_FREE char *directory = NULL;
	CLEANUP_CLOSE int held = -1;
	int r;

	r = description_read(options->description, &description, err);
	if (r == 0)
		r = check_exceptions(description, err);
	if (r == 0)
		r = read_lock(options->description, &lock, err);
	if (r == 0)
		r = packages_check_lock(description, lock, err);
	if (r == 0)
		r = plan_make(description, lock, options->source_root, &plan, err);
	if (r < 0)
		return r;
	plan->keyring = options->keyring;
	plan->signature_pending = options->signature_pending;
	directory = path_join(options->output, description->name);
	if (!options->dry_run)
		r = open_results(directory, &held, err);
	if (r == 0)
		r = run(options, plan, directory, err);
	if (r < 0 || options->dry_run)
		return r;
	ret->disk = string_printf("%s/%s.raw", directory, plan->result_name);
	ret->directory = TAKE_PTR(directory);
	ret->arch = plan->arch->name;
	return 0;
}
