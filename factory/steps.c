/* SPDX-License-Identifier: Apache-2.0 */
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "base/process.h"
#include "model/stage.h"
#include "session.h"

struct step {
	const struct stage *stage;
	char key[65];
	char *directory;	/* of its finished outputs */
	bool must_run;
};

struct steps {
	const struct steps_options *options;
	struct artifacts *artifacts;
	struct step *items;
	unsigned int count;
	struct session *session;
	const char *tmp;
};

static void steps_clear(struct steps *s)
{
	for (unsigned int i = 0; i < s->count; i++)
		free(s->items[i].directory);
	free(s->items);
	session_free(s->session);
}
#define CLEANUP_STEPS __attribute__((cleanup(steps_clear)))

/* ---------------------------------------------------------------- what reads what */

static bool names(const char *const *list, const char *name)
{
	for (; *list; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

static bool reads(const struct stage *stage, const char *artifact)
{
	return names(stage->inputs, artifact) ||
	       (stage->layer && strcmp(stage->layer, artifact) == 0) ||
	       (stage->room == ROOM_APPLIANCE && (strcmp(artifact, STEPS_BUILDER) == 0 ||
						  strcmp(artifact, STEPS_PACKAGES) == 0));
}

/* A layer is an output that some stage begins with. */
static const char *layer_made(const struct steps *s, const struct stage *stage)
{
	for (unsigned int i = 0; i < s->count; i++) {
		const char *layer = s->items[i].stage->layer;

		if (layer && names(stage->outputs, layer))
			return layer;
	}
	return NULL;
}

static bool touches_target(const struct steps *s, const struct stage *stage)
{
	return stage->room == ROOM_APPLIANCE && (stage->layer || layer_made(s, stage));
}

/* ---------------------------------------------------------------- keys */

/* Which stage makes an artifact; the last, where two do. */
static const char *maker(const struct steps *s, const char *artifact)
{
	for (unsigned int i = s->count; i-- > 0;)
		if (names(s->items[i].stage->outputs, artifact))
			return s->items[i].stage->name;
	return NULL;
}

static int add_input(struct stage_key *key, const struct steps *s, const struct stage *stage,
		     const char *name, struct error *err)
{
	const char *id = artifacts_id(s->artifacts, name);

	if (!id)
		return error_input(err, "stage %s reads \"%s\", which no stage before it makes",
				   stage->name, name);
	stage_key_artifact(key, name, maker(s, name), id);
	return 0;
}

static int add_inputs(struct stage_key *key, const struct steps *s, const struct stage *stage,
		      struct error *err)
{
	int r = 0;

	for (const char *const *input = stage->inputs; *input && r == 0; input++)
		r = add_input(key, s, stage, *input, err);
	if (r == 0 && stage->layer)
		r = add_input(key, s, stage, stage->layer, err);
	if (r == 0 && stage->room == ROOM_APPLIANCE)
		r = add_input(key, s, stage, STEPS_BUILDER, err);
	if (r == 0 && stage->room == ROOM_APPLIANCE)
		r = add_input(key, s, stage, STEPS_PACKAGES, err);
	return r;
}

static int make_key(const struct steps *s, struct step *step, struct error *err)
{
	CLEANUP_STAGE_KEY struct stage_key *key = stage_key_new();
	const struct stage *stage = step->stage;
	int r;

	stage_key_string(key, "stage", stage->name);
	stage_key_string(key, "stage version", stage->version);
	r = stage->key ? stage->key(s->options->plan, key, err) : 0;
	if (r < 0)
		return error_wrap(err, "%s", stage->name);
	r = add_inputs(key, s, stage, err);
	if (r < 0)
		return r;
	stage_key_digest(key, step->key);
	step->directory = string_printf("%s/stages/%s/%s", s->options->cache, stage->name, step->key);
	return 0;
}

static void add_outputs(const struct steps *s, const struct step *step)
{
	for (const char *const *output = step->stage->outputs; *output; output++) {
		CLEANUP_FREE char *path = path_join(step->directory, *output);
		CLEANUP_FREE char *id = string_printf("%s/%s", step->key, *output);

		artifacts_add(s->artifacts, *output, path, id);
	}
}

static bool finished(const struct step *step)
{
	for (const char *const *output = step->stage->outputs; *output; output++) {
		CLEANUP_FREE char *path = path_join(step->directory, *output);

		if (!io_exists(path))
			return false;
	}
	return true;
}

/* Does a wanted artifact, or a later stage that will run, need this step's outputs? */
static bool needed(const struct steps *s, unsigned int index)
{
	for (const char *const *output = s->items[index].stage->outputs; *output; output++) {
		if (names(s->options->wanted, *output))
			return true;
		for (unsigned int i = index + 1; i < s->count; i++)
			if (s->items[i].must_run && reads(s->items[i].stage, *output))
				return true;
	}
	return false;
}

static int lay_out(struct steps *s, struct error *err)
{
	unsigned int count = 0;
	int r;

	while (s->options->stages[count])
		count++;
	s->items = calloc(count, sizeof(*s->items));
	if (!s->items)
		error_no_memory();
	s->count = count;
	for (unsigned int i = 0; i < count; i++)
		s->items[i].stage = s->options->stages[i];
	for (unsigned int i = 0; i < count; i++) {
		r = make_key(s, &s->items[i], err);
		if (r < 0)
			return r;
		add_outputs(s, &s->items[i]);
	}
	for (unsigned int i = count; i-- > 0;)
		s->items[i].must_run = needed(s, i) && !finished(&s->items[i]);
	return 0;
}

/* ---------------------------------------------------------------- the appliance */

static struct session_layer layer_before(const struct steps *s, const struct stage *stage)
{
	if (!stage->layer)
		return (struct session_layer) { .id = "" };
	return (struct session_layer) {
		.id = artifacts_id(s->artifacts, stage->layer),
		.path = artifacts_path(s->artifacts, stage->layer),
	};
}

/* The layer to have on the target: this step's own, or that of the next one to touch it. */
static struct session_layer layer_ahead(const struct steps *s, unsigned int index)
{
	for (unsigned int i = index; i < s->count; i++)
		if (s->items[i].must_run && touches_target(s, s->items[i].stage))
			return layer_before(s, s->items[i].stage);
	return (struct session_layer) { .id = "" };
}

static int enter_room(struct steps *s, unsigned int index, struct workshop **ret, struct error *err)
{
	const struct stage *stage = s->items[index].stage;
	struct session_layer layer;

	if (stage->room != ROOM_APPLIANCE)
		return 0;
	layer = layer_ahead(s, index);

	const struct session_disks disks = {
		.builder = artifacts_path(s->artifacts, STEPS_BUILDER),
		.packages = artifacts_path(s->artifacts, STEPS_PACKAGES),
	};

	return session_enter(s->session, &disks, &layer, touches_target(s, stage), ret, err);
}

static void note_layer(struct steps *s, const struct stage *stage)
{
	const char *layer = layer_made(s, stage);

	if (layer && stage->room == ROOM_APPLIANCE)
		session_holds(s->session, artifacts_id(s->artifacts, layer));
}

/* The appliance holds memory and processors; it goes when nothing is left for it. */
static int leave_room(struct steps *s, unsigned int index, struct error *err)
{
	for (unsigned int i = index + 1; i < s->count; i++)
		if (s->items[i].must_run && s->items[i].stage->room == ROOM_APPLIANCE)
			return 0;
	return session_leave(s->session, err);
}

/* ---------------------------------------------------------------- running */

static int sync_file(const char *path, struct error *err)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return error_system(err, errno, "%s", path);
	return 0;
}

static int check_outputs(const struct stage *stage, const char *directory, struct error *err)
{
	for (const char *const *output = stage->outputs; *output; output++) {
		CLEANUP_FREE char *path = path_join(directory, *output);
		int r = sync_file(path, err);

		if (r < 0)
			return error_wrap(err, "the stage ended without its result");
	}
	return io_sync_dir(directory, err);
}

/* Puts a directory of outputs in its place; the caller holds the key's lock. */
static int keep(const struct step *step, const char *made, const char *parent, struct error *err)
{
	int r = check_outputs(step->stage, made, err);

	/* What lies there without being finished has lost files to somebody else. */
	if (r == 0)
		r = io_remove_tree(step->directory, err);
	if (r < 0)
		return r;
	if (rename(made, step->directory) < 0)
		return error_system(err, errno, "%s", step->directory);
	return io_sync_dir(parent, err);
}

static int run_stage(struct steps *s, unsigned int index, const char *output, struct error *err)
{
	const struct stage *stage = s->items[index].stage;
	struct stage_context ctx = {
		.plan = s->options->plan,
		.store = s->options->store,
		.cache = s->options->cache,
		.output = output,
		.artifacts = s->artifacts,
	};
	int r;

	r = io_mkdirs(output, 0755, err);
	if (r == 0)
		r = enter_room(s, index, &ctx.workshop, err);
	if (r == 0)
		r = stage->run(&ctx, err);
	if (r == 0)
		note_layer(s, stage);
	return r;
}

/* *ret_reused: another build has finished it meanwhile. */
static int run_step(struct steps *s, unsigned int index, bool *ret_reused, struct error *err)
{
	const struct step *step = &s->items[index];
	CLEANUP_FREE char *parent = string_printf("%s/stages/%s", s->options->cache, step->stage->name);
	CLEANUP_FREE char *lock_path = string_printf("%s.lock", step->directory);
	CLEANUP_FREE char *made = path_join(s->tmp, step->stage->name);
	CLEANUP_CLOSE int lock = -1;
	int r;

	r = io_mkdirs(parent, 0755, err);
	if (r == 0)
		r = io_lock(lock_path, &lock, err);
	if (r < 0)
		return r;
	*ret_reused = finished(step);
	if (*ret_reused)
		return 0;
	r = run_stage(s, index, made, err);
	return r < 0 ? r : keep(step, made, parent, err);
}

static int do_step(struct steps *s, unsigned int index, struct error *err)
{
	const struct step *step = &s->items[index];
	bool reused = true;
	int r = process_check_interrupt(err);

	if (r < 0)
		return r;
	log_step_begin(index + 1, s->count, step->stage->title);
	log_debug("%s: key %s", step->stage->name, step->key);
	if (step->must_run)
		r = run_step(s, index, &reused, err);
	log_step_end(r < 0 ? "failed" : reused ? "reused" : "done");
	if (r < 0)
		return error_wrap(err, "%s", step->stage->name);
	return leave_room(s, index, err);
}

int steps_run(const struct steps_options *options, struct artifacts *artifacts, struct error *err)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_STEPS struct steps s = { .options = options, .artifacts = artifacts };
	CLEANUP_FREE char *tmp = path_join(options->cache, "tmp");
	int r;

	r = io_mkdirs(tmp, 0755, err);
	if (r == 0)
		r = io_scratch_new(tmp, &scratch, err);
	if (r < 0)
		return r;
	s.tmp = scratch.path;
	s.session = session_new(&(struct session_options) {
		.plan = options->plan, .store = options->store,
		.cache = options->cache, .tmp = scratch.path,
	});
	r = lay_out(&s, err);
	for (unsigned int i = 0; i < s.count && r == 0; i++)
		r = do_step(&s, i, err);
	return r;
}
