/* SPDX-License-Identifier: Apache-2.0 */
#include "steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "explain.h"
#include "session.h"
#include "step.h"

void steps_free(struct steps *s)
{
	if (!s)
		return;
	session_free(s->session);
	for (unsigned int i = 0; i < s->count; i++) {
		cache_entry_clear(&s->items[i].entry);
		free(s->items[i].damage);
	}
	free(s->items);
	io_scratch_free(&s->scratch);
	free(s);
}

void steps_freep(struct steps **s)
{
	steps_free(*s);
}

bool steps_used_appliance(const struct steps *s)
{
	return s->used_appliance;
}

/* ---------------------------------------------------------------- what reads what */

bool step_names(const char *const *list, const char *name)
{
	for (; *list; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

bool step_reads(const struct stage *stage, const char *artifact)
{
	return step_names(stage->inputs, artifact) ||
	       (stage->layer && strcmp(stage->layer, artifact) == 0) ||
	       (stage->room == ROOM_APPLIANCE && (strcmp(artifact, STEPS_BUILDER) == 0 ||
						  strcmp(artifact, STEPS_PACKAGES) == 0));
}

/* Does a wanted artifact, or a later stage that will run, need this step's outputs? */
static bool needed(const struct steps *s, unsigned int index)
{
	for (const char *const *output = s->items[index].stage->outputs; *output; output++) {
		if (step_names(s->options->wanted, *output))
			return true;
		for (unsigned int i = index + 1; i < s->count; i++)
			if (s->items[i].must_run && step_reads(s->items[i].stage, *output))
				return true;
	}
	return false;
}

/* ---------------------------------------------------------------- keys */

/* Which stage makes an artifact; the last, where two do. */
static const char *maker(const struct steps *s, const char *artifact)
{
	for (unsigned int i = s->count; i-- > 0;)
		if (step_names(s->items[i].stage->outputs, artifact))
			return s->items[i].stage->name;
	return "";
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
	struct cache_entry *e = &step->entry;
	int r;

	stage_key_string(key, "stage", stage->name);
	stage_key_string(key, "stage version", stage->version);
	r = stage->key ? stage->key(s->options->plan, key, err) : 0;
	if (r < 0)
		return error_wrap(err, "%s", stage->name);
	r = add_inputs(key, s, stage, err);
	if (r < 0)
		return r;
	stage_key_digest(key, e->key);
	e->stage = stage->name;
	e->outputs = stage->outputs;
	e->inputs = string_copy(stage_key_text(key));
	e->path = string_printf("%s/stages/%s/%s", s->options->cache, stage->name, e->key);
	return 0;
}

static void add_outputs(const struct steps *s, const struct step *step)
{
	for (const char *const *output = step->stage->outputs; *output; output++) {
		CLEANUP_FREE char *path = path_join(step->entry.path, *output);
		CLEANUP_FREE char *id = string_printf("%s/%s", step->entry.key, *output);

		artifacts_add(s->artifacts, *output, path, id);
	}
}

static int make_keys(struct steps *s, struct error *err)
{
	for (unsigned int i = 0; i < s->count; i++) {
		int r = make_key(s, &s->items[i], err);

		if (r < 0)
			return r;
		add_outputs(s, &s->items[i]);
	}
	return 0;
}

/* ---------------------------------------------------------------- planning */

static struct steps *steps_new(const struct steps_options *options, struct artifacts *artifacts)
{
	struct steps *s = calloc(1, sizeof(*s));

	if (!s)
		error_no_memory();
	*s = (struct steps) { .options = options, .artifacts = artifacts, .scratch = SCRATCH_INIT };
	while (options->stages[s->count])
		s->count++;
	s->items = calloc(s->count + 1, sizeof(*s->items));
	if (!s->items)
		error_no_memory();
	for (unsigned int i = 0; i < s->count; i++)
		s->items[i] = (struct step) { .stage = options->stages[i], .entry = CACHE_ENTRY_INIT };
	return s;
}

static int make_place(struct steps *s, struct error *err)
{
	CLEANUP_FREE char *tmp = path_join(s->options->cache, "tmp");
	int r = io_mkdirs(tmp, 0755, err);

	return r < 0 ? r : io_scratch_new(tmp, &s->scratch, err);
}

/* Said once, though looked for twice. */
int step_find(struct steps *s, struct step *step, bool *ret, struct error *err)
{
	char *damage = NULL;
	int r = cache_hold(&step->entry, err);

	if (r == 0 && step->entry.held >= 0)
		r = cache_check(&step->entry, s->scratch.path, &damage, err);
	if (r < 0)
		return r;
	*ret = step->entry.held >= 0 && !damage;
	if (damage && !step->damage)
		log_warning("%s: what the cache holds is not what the stage made: %s; it runs again",
			    step->stage->name, damage);
	free(step->damage);
	step->damage = damage;
	return 0;
}

/* From the end, since what is needed depends on what runs after it. What is not needed is held all the same: the
 * next change may need it, and who uses the last stage's entry has use of the first one's. */
static int find_all(struct steps *s, struct error *err)
{
	bool there;
	int r = 0;

	for (unsigned int i = s->count; i-- > 0 && r == 0;) {
		struct step *step = &s->items[i];

		step->needed = needed(s, i);
		if (!step->needed) {
			r = cache_hold(&step->entry, err);
			continue;
		}
		r = step_find(s, step, &there, err);
		step->must_run = r == 0 && !there;
	}
	return r;
}

int steps_plan(const struct steps_options *options, struct artifacts *artifacts, struct steps **ret,
	       struct error *err)
{
	CLEANUP_STEPS struct steps *s = steps_new(options, artifacts);
	int r = make_place(s, err);

	if (r == 0)
		r = make_keys(s, err);
	if (r == 0)
		r = find_all(s, err);
	if (r < 0)
		return r;
	s->session = session_new(&(struct session_options) {
		.plan = options->plan, .store = options->store,
		.cache = options->cache, .tmp = s->scratch.path,
	});
	*ret = TAKE_PTR(s);
	return 0;
}

/* ---------------------------------------------------------------- explaining */

static const char *verdict(const struct step *step)
{
	if (step->must_run)
		return "rebuilt";
	return step->needed ? "reused" : "not needed";
}

static int explain(const struct steps *s, const struct step *step, struct buf *ret, struct error *err)
{
	CLEANUP_BUF struct buf reasons = BUF_INIT(SIZE_MAX);
	int r = 0;

	if (step->must_run && !step->damage)
		r = explain_entry(s->options->cache, &step->entry, &reasons, err);
	if (r == 0)
		explain_row(step->stage->name, verdict(step), step->damage ? step->damage : buf_text(&reasons), ret);
	return r;
}

int steps_explain(const struct steps *s, struct buf *ret, struct error *err)
{
	int r = 0;

	explain_row(NULL, NULL, NULL, ret);
	for (unsigned int i = 0; i < s->count && r == 0; i++)
		r = explain(s, &s->items[i], ret, err);
	return r;
}
