/* SPDX-License-Identifier: Apache-2.0 */
#include "publish.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "model/run.h"
#include "model/stage.h"

const char *const publish_artifacts[] = {
	"disk.raw", "packages", "pcr_measurements.json", "manifest.json", NULL,
};

/* In the order in which they appear; the names of the first two begin with the result's. */
static const struct result {
	const char *artifact, *suffix, *name;
} results[] = {
	{ .artifact = "disk.raw", .suffix = ".raw" },
	{ .artifact = "packages", .suffix = ".packages" },
	{ .artifact = "pcr_measurements.json", .name = "pcr_measurements.json" },
	{ .artifact = "manifest.json", .name = "manifest.json" },
};

/* What speaks of a disk, and must not outlive it. */
static const char *const about_disk[] = {
	"manifest.json", "pcr_measurements.json", "boot-proof.json", "boot.log", "to-be-signed", RUN_FILE,
};

static char *result_path(const struct result *r, const char *directory, const char *result)
{
	if (r->name)
		return path_join(directory, r->name);
	return string_printf("%s/%s%s", directory, result, r->suffix);
}

static int copy_all(const struct artifacts *artifacts, const char *directory, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
		const char *from = artifacts_path(artifacts, results[i].artifact);
		CLEANUP_FREE char *to = path_join(directory, results[i].artifact);
		int r = io_copy_file(from, to, 0644, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int remove_old(const char *directory, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(about_disk); i++) {
		CLEANUP_FREE char *path = path_join(directory, about_disk[i]);

		if (unlink(path) < 0 && errno != ENOENT)
			return error_system(err, errno, "cannot remove %s", path);
	}
	return io_sync_dir(directory, err);
}

static int place_all(const char *from, const char *directory, const char *result, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
		CLEANUP_FREE char *copy = path_join(from, results[i].artifact);
		CLEANUP_FREE char *to = result_path(&results[i], directory, result);

		if (rename(copy, to) < 0)
			return error_system(err, errno, "%s", to);
	}
	return io_sync_dir(directory, err);
}

int publish(const struct artifacts *artifacts, const char *directory, const char *result,
	    struct error *err)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	int r;

	r = io_scratch_new(directory, &scratch, err);
	if (r == 0)
		r = copy_all(artifacts, scratch.path, err);
	if (r == 0)
		r = remove_old(directory, err);
	if (r == 0)
		r = place_all(scratch.path, directory, result, err);
	return r;
}
