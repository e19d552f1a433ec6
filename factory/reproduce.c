/* SPDX-License-Identifier: Apache-2.0 */
#include "reproduce.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "compare.h"
#include "pipeline.h"

/* ---------------------------------------------------------------- other circumstances */

/* What a build should not care about; nothing in the other build's may be like anybody's default. */
static const struct variable {
	const char *name, *value;
} variables[] = {
	{ "TZ", "Pacific/Kiritimati" },
	{ "LC_ALL", "tr_TR.UTF-8" },
	{ "LANG", "tr_TR.UTF-8" },
};

struct circumstances {
	char *values[ARRAY_SIZE(variables)];	/* as they were; NULL: not set */
	mode_t mask;
	cpu_set_t processors;
	bool moved;				/* to other processors */
};

/* Half as many as before, and at least one. Where the kernel refuses, the rest differs all the same. */
static bool use_fewer_processors(const cpu_set_t *all)
{
	int keep = (CPU_COUNT(all) + 1) / 2;
	cpu_set_t some;

	CPU_ZERO(&some);
	for (int i = CPU_SETSIZE - 1; i >= 0 && CPU_COUNT(&some) < keep; i--)
		if (CPU_ISSET(i, all))
			CPU_SET(i, &some);
	return sched_setaffinity(0, sizeof(some), &some) == 0;
}

static void change(struct circumstances *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		const char *value = getenv(variables[i].name);

		c->values[i] = value ? string_copy(value) : NULL;
		if (setenv(variables[i].name, variables[i].value, 1) < 0)
			error_no_memory();
	}
	tzset();
	c->mask = umask(077);
	c->moved = sched_getaffinity(0, sizeof(c->processors), &c->processors) == 0 &&
		   use_fewer_processors(&c->processors);
}

static void change_back(struct circumstances *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		if (!c->values[i])
			(void)unsetenv(variables[i].name);	/* the name is a good one */
		else if (setenv(variables[i].name, c->values[i], 1) < 0)
			error_no_memory();
		free(c->values[i]);
	}
	tzset();
	(void)umask(c->mask);
	if (c->moved && sched_setaffinity(0, sizeof(c->processors), &c->processors) < 0)
		log_warning("cannot use all processors again: %s", strerror(errno));
}

/* ---------------------------------------------------------------- the second build */

/* The packages are the same ones: what a build makes of them is what is in question. */
static int share_store(const char *cache, const char *second, struct error *err)
{
	CLEANUP_FREE char *store = path_join(cache, "store"), *link = path_join(second, "store");
	CLEANUP_FREE char *target = realpath(store, NULL);

	if (!target || symlink(target, link) < 0)
		return error_system(err, errno, "%s", target ? link : store);
	return 0;
}

static int build_again(const struct pipeline_options *options, const char *cache, const char *output,
		       struct pipeline_result *ret, struct error *err)
{
	const struct pipeline_options second = {
		.description = options->description,
		.output = output,
		.cache = cache,
		.source_root = options->source_root,
		.keyring = options->keyring,
		.signature_pending = options->signature_pending,
	};
	struct circumstances before;
	int r = share_store(options->cache, cache, err);

	if (r < 0)
		return r;
	change(&before);
	r = pipeline_build(&second, ret, err);
	change_back(&before);
	return r < 0 ? error_wrap(err, "the second build") : 0;
}

/* ---------------------------------------------------------------- the verdict */

static int compare(const char *first, const char *first_cache, const char *second, const char *second_cache,
		   struct comparison *ret, struct error *err)
{
	CLEANUP_COMPARE_IMAGE struct compare_image a = { .name = NULL }, b = { .name = NULL };
	int r = compare_image_open(first, first_cache, &a, err);

	if (r == 0)
		r = compare_image_open(second, second_cache, &b, err);
	return r < 0 ? r : compare_images(&a, &b, ret, err);
}

/* The second build's results stay; those of an earlier such verdict go. */
static int keep(const char *results, const char *first, char **ret, struct error *err)
{
	CLEANUP_FREE char *kept = string_printf("%s.second", first);
	int r = io_remove_tree(kept, err);

	if (r < 0)
		return r;
	if (rename(results, kept) < 0)
		return error_system(err, errno, "cannot keep the second build's results as %s", kept);
	*ret = TAKE_PTR(kept);
	return 0;
}

static int say(const struct comparison *found, const char *second, const char *first, struct error *err)
{
	const struct compare_finding *cause = comparison_cause(found);
	CLEANUP_FREE char *kept = NULL;
	int r;

	if (!cause)
		return 0;
	for (size_t i = 0; i < found->count; i++)
		log_info("%s: %s%s", compare_part_names[found->findings[i].part], found->findings[i].text,
			 found->findings[i].follows ? " (follows from the above)" : "");
	r = keep(second, first, &kept, err);
	if (r < 0)
		return r;
	return error_verdict(err, "a second build of the same lock gave another image: %s: %s; the two lie in %s and %s",
			     compare_part_names[cause->part], cause->text, first, kept);
}

int reproduce(const struct pipeline_options *options, const struct pipeline_result *first,
	      struct error *err)
{
	CLEANUP_SCRATCH struct scratch cache = SCRATCH_INIT, output = SCRATCH_INIT;
	CLEANUP_PIPELINE_RESULT struct pipeline_result second = { .disk = NULL };
	CLEANUP_COMPARISON struct comparison found = { .findings = NULL };
	CLEANUP_FREE char *tmp = path_join(options->cache, "tmp");
	int r = io_mkdirs(tmp, 0755, err);

	/* The results beside the first ones, so that keeping them is a rename. */
	if (r == 0)
		r = io_scratch_new(tmp, &cache, err);
	if (r == 0)
		r = io_scratch_new(options->output, &output, err);
	if (r < 0)
		return r;
	log_info("building a second time, in a clean cache, to compare");
	r = build_again(options, cache.path, output.path, &second, err);
	if (r == 0)
		r = compare(first->directory, options->cache, second.directory, cache.path, &found, err);
	return r < 0 ? r : say(&found, second.directory, first->directory, err);
}
