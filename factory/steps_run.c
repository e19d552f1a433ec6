/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/process.h"
#include "cache_evict.h"
#include "full_disk.h"
#include "model/run.h"
#include "session.h"
#include "step.h"
#include "steps.h"

/* ---------------------------------------------------------------- the appliance */

/* A layer is an output that some stage begins with. */
static const char *layer_made(const struct steps *s, const struct stage *stage)
{
	for (unsigned int i = 0; i < s->count; i++) {
		const char *layer = s->items[i].stage->layer;

		if (layer && step_names(stage->outputs, layer))
			return layer;
	}
	return NULL;
}

static bool touches_target(const struct steps *s, const struct stage *stage)
{
	return stage->room == ROOM_APPLIANCE && (stage->layer || layer_made(s, stage));
}

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

	s->used_appliance = true;
	return session_enter(s->session, &disks, &layer, touches_target(s, stage), ret, err);
}

static void note_layer(struct steps *s, const struct stage *stage)
{
	const char *layer = layer_made(s, stage);

	if (layer && stage->room == ROOM_APPLIANCE)
		session_holds(s->session, artifacts_id(s->artifacts, layer));
}

/* The appliance holds memory and processors; it goes when nothing is left for it. */
static void leave_room(struct steps *s, unsigned int index)
{
	for (unsigned int i = index + 1; i < s->count; i++)
		if (s->items[i].must_run && s->items[i].stage->room == ROOM_APPLIANCE)
			return;
	session_leave(s->session);
}

/* ---------------------------------------------------------------- one step */

/* A stage gets what it names and nothing else: what it could read beside that would not be in its key. */
static struct artifacts *artifacts_of(const struct steps *s, unsigned int index)
{
	const struct stage *stage = s->items[index].stage;
	struct artifacts *own = artifacts_new();

	for (unsigned int i = 0; i < index; i++)
		for (const char *const *output = s->items[i].stage->outputs; *output; output++)
			if (step_reads(stage, *output))
				artifacts_add(own, *output, artifacts_path(s->artifacts, *output),
					      artifacts_id(s->artifacts, *output));
	return own;
}

static int run_stage(struct steps *s, unsigned int index, const char *output, struct error *err)
{
	CLEANUP_ARTIFACTS struct artifacts *own = artifacts_of(s, index);
	const struct stage *stage = s->items[index].stage;
	struct stage_context ctx = {
		.plan = s->options->plan,
		.store = s->options->store,
		.cache = s->options->cache,
		.output = output,
		.artifacts = own,
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

/* With the claim: runs the stage unless another build has finished it meanwhile. */
static int make_entry(struct steps *s, unsigned int index, bool *ret_reused, struct error *err)
{
	struct step *step = &s->items[index];
	CLEANUP_FREE char *made = path_join(s->scratch.path, step->stage->name);
	int r = step_find(s, step, ret_reused, err);

	if (r < 0 || *ret_reused)
		return r;
	r = run_stage(s, index, made, err);
	return r < 0 ? r : cache_keep(&step->entry, made, s->scratch.path, err);
}

static int run_step(struct steps *s, unsigned int index, bool *ret_reused, struct error *err)
{
	struct step *step = &s->items[index];
	CLEANUP_FREE char *parent = string_printf("%s/stages/%s", s->options->cache, step->stage->name);
	int claim = -1;
	int r = io_mkdirs(parent, 0755, err);

	if (r == 0)
		r = cache_claim(&step->entry, &claim, err);
	if (r == 0)
		r = make_entry(s, index, ret_reused, err);
	cache_unclaim(&step->entry, &claim);
	return r;
}

/* ---------------------------------------------------------------- all steps */

/* What the cache does not have, and nothing that runs would read. */
static bool is_absent(const struct step *step)
{
	return !step->needed && step->entry.held < 0;
}

static int do_step(struct steps *s, unsigned int index, struct error *err)
{
	const struct step *step = &s->items[index];
	const char *outcome;
	double begun = clock_seconds();
	bool reused = true;
	int r = process_check_interrupt(err);

	if (r < 0)
		return r;
	log_step_begin(index + 1, s->count, step->stage->title);
	log_debug("%s: key %s", step->stage->name, step->entry.key);
	if (step->must_run)
		r = run_step(s, index, &reused, err);
	outcome = r < 0 ? "failed" : !reused ? "done" : is_absent(step) ? "not needed" : "reused";
	log_step_end(outcome);
	if (r < 0)
		return error_wrap(err, "%s", step->stage->name);
	cache_touch(&step->entry);
	if (s->options->run)
		run_add_stage(s->options->run, step->stage->name, step->entry.key, outcome, clock_seconds() - begun);
	leave_room(s, index);
	return 0;
}

static void evict(const struct steps *s)
{
	cache_evict(s->options->cache, s->options->cache_limit, s->scratch.path);
}

/* Room is made before as well, so that a lower limit helps where the disk is full. */
int steps_run(struct steps *s, struct error *err)
{
	int r = 0;

	evict(s);
	for (unsigned int i = 0; i < s->count && r == 0; i++)
		r = do_step(s, i, err);
	if (r < 0)
		return full_disk_explain_cache(s->options->cache, err);
	evict(s);
	return 0;
}
