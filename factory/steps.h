/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_STEPS_H
#define KILN_FACTORY_STEPS_H

#include <stdbool.h>
#include <stdint.h>

struct artifacts;
struct buf;
struct error;
struct plan;
struct run;
struct stage;
struct store;

/*
 * Runs a table of stages. A stage's key is the digest of its name and version, of what it reads from
 * the plan, and of the ids of the artifacts it reads; so every key is known before anything runs,
 * and only what is neither finished in the cache (cache.h) nor needless for the wanted artifacts runs at all.
 * Of two builds with a stage in common one waits and takes the other's work.
 */

struct steps_options {
	const struct stage *const *stages;	/* NULL-terminated */
	const struct plan *plan;
	const struct store *store;
	const char *cache;
	uint64_t cache_limit;			/* bytes; 0: none */
	const char *const *wanted;		/* names of artifacts, NULL-terminated */
	struct run *run;			/* gets a line for each stage; NULL: nobody asks */
};

/*
 * Finds out what has to run, and holds what the cache has of it until freed. Adds every stage's outputs to
 * `artifacts`. Options and artifacts outlive the steps.
 */
struct steps;
int steps_plan(const struct steps_options *options, struct artifacts *artifacts, struct steps **ret,
	       struct error *err);
/* The table of what will run and why, appended; the buffer must have no limit. */
int steps_explain(const struct steps *s, struct buf *ret, struct error *err);
/* Runs it. Of the wanted artifacts the files are there afterwards. */
int steps_run(struct steps *s, struct error *err);
/* Has an appliance been started? */
bool steps_used_appliance(const struct steps *s);
void steps_free(struct steps *s);
void steps_freep(struct steps **s);
#define CLEANUP_STEPS __attribute__((cleanup(steps_freep)))

/* What the appliance works with; inputs of every stage that runs in it. */
#define STEPS_BUILDER "builder.erofs"
#define STEPS_PACKAGES "packages.erofs"

#endif
