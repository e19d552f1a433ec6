/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_TESTS_UNIT_STAGE_FIXTURE_H
#define KILN_TESTS_UNIT_STAGE_FIXTURE_H

#include <sys/stat.h>

#include "factory/base/cleanup.h"
#include "factory/base/io.h"
#include "factory/base/process.h"
#include "factory/model/plan.h"
#include "factory/model/stage.h"
#include "tests/unit/tap.h"

/* A stage outside the pipeline: a plan by hand, inputs and outputs in one scratch directory. */
struct fixture {
	struct scratch scratch;
	struct description description;
	struct lock *lock;
	struct plan plan;
	struct artifacts *artifacts;
	char *output;
};

__attribute__((unused))
static void fixture_open(struct fixture *f)
{
	struct error err = ERROR_INIT;
	const char *tmp = getenv("TMPDIR");

	*f = (struct fixture) { .scratch = SCRATCH_INIT };
	need(io_scratch_new(tmp ? tmp : "/tmp", &f->scratch, &err) == 0, "scratch: %s", err.message);
	f->lock = lock_new();
	f->artifacts = artifacts_new();
	f->output = path_join(f->scratch.path, "out");
	f->description = (struct description) { .name = (char *)"tiny", .version = (char *)"1",
						.arch = architecture_default(), .cmdline = (char *)"" };
	f->plan = (struct plan) {
		.description = &f->description, .lock = f->lock, .arch = architecture_default(),
		.tools = architecture_host(), .epoch = 1700000000,
		.result_name = (char *)"tiny.x86_64-1", .seed = "a seed of at most 32 bytes",
	};
	need(io_mkdirs(f->output, 0755, &err) == 0, "output directory: %s", err.message);
}

__attribute__((unused))
static void fixture_close(struct fixture *f)
{
	artifacts_free(f->artifacts);
	lock_free(f->lock);
	free(f->output);
	io_scratch_free(&f->scratch);
}

/* Makes an input of these bytes. */
__attribute__((unused))
static void fixture_input(struct fixture *f, const char *name, const void *data, size_t size)
{
	CLEANUP_FREE char *path = path_join(f->scratch.path, name);
	struct error err = ERROR_INIT;

	need(io_write_file(path, data, size, 0644, &err) == 0, "%s: %s", name, err.message);
	artifacts_add(f->artifacts, name, path, name);
}

/* A file of `size` bytes that are not all alike. */
__attribute__((unused))
static void fixture_pattern(struct fixture *f, const char *name, size_t size)
{
	uint8_t *data = malloc(size ? size : 1);
	uint32_t x = 1;

	need(data, "memory");
	for (size_t i = 0; i < size; i++) {
		x = x * 1664525 + 1013904223;
		data[i] = (uint8_t)(x >> 24);
	}
	fixture_input(f, name, data, size);
	free(data);
}

__attribute__((unused))
static int fixture_run(struct fixture *f, const struct stage *stage, struct error *err)
{
	const struct stage_context ctx = {
		.plan = &f->plan, .cache = f->scratch.path, .output = f->output,
		.artifacts = f->artifacts,
	};

	return stage->run(&ctx, err);
}

/* An output as an input of the next stage. */
__attribute__((unused))
static void fixture_hand_on(struct fixture *f, const char *name)
{
	CLEANUP_FREE char *path = path_join(f->output, name);

	artifacts_add(f->artifacts, name, path, name);
}

/* Runs a tool that checks independently; its output is in *ret. */
__attribute__((unused))
static int fixture_tool(const char *const *argv, struct buf *ret)
{
	static const char *const env[] = {
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "SOURCE_DATE_EPOCH=1700000000", NULL,
	};
	const struct process_options options = { .argv = argv, .env = env, .output = ret };
	struct error err = ERROR_INIT;
	int code = -1;

	if (process_run(&options, &code, &err) < 0) {
		printf("# %s: %s\n", argv[0], err.message);
		return -1;
	}
	return code;
}

#endif
