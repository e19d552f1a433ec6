/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_STEPS_H
#define KILN_FACTORY_STEPS_H

struct artifacts;
struct error;
struct plan;
struct stage;
struct store;

/*
 * Runs a table of stages. A stage's key is the digest of its name and version, of what it reads from
 * the plan, and of the ids of the artifacts it reads; so every key is known before anything runs,
 * and only what is neither finished in the cache nor needless for the wanted artifacts runs at all.
 *
 * Finished outputs lie in CACHE/stages/NAME/KEY/. They are made in a scratch directory and appear
 * there by rename, under a lock of that key: a build killed at any moment leaves nothing half-made,
 * and of two builds with a stage in common one waits and takes the other's work.
 */

struct steps_options {
	const struct stage *const *stages;	/* NULL-terminated */
	const struct plan *plan;
	const struct store *store;
	const char *cache;
	const char *const *wanted;		/* names of artifacts, NULL-terminated */
};

/* Adds every stage's outputs to `artifacts`; of the wanted ones the files are there afterwards. */
int steps_run(const struct steps_options *options, struct artifacts *artifacts, struct error *err);

/* What the appliance works with; inputs of every stage that runs in it. */
#define STEPS_BUILDER "builder.erofs"
#define STEPS_PACKAGES "packages.erofs"

#endif
