/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_STEP_H
#define KILN_FACTORY_STEP_H

#include "base/io.h"
#include "cache.h"
#include "model/stage.h"

struct session;
struct steps_options;

/* What steps.c plans and steps_run.c runs; nobody else's business. */

struct step {
	const struct stage *stage;
	struct cache_entry entry;
	bool needed;		/* for a wanted artifact, or by a later step that must run */
	bool must_run;
	char *damage;		/* what is wrong with the entry that lies there; NULL: nothing */
};

struct steps {
	const struct steps_options *options;
	struct artifacts *artifacts;
	struct scratch scratch;	/* on the cache's file system */
	struct step *items;
	unsigned int count;
	struct session *session;
	bool used_appliance;
};

bool step_names(const char *const *list, const char *name);
/* Is the artifact among what the stage says it reads? */
bool step_reads(const struct stage *stage, const char *artifact);
/* Holds the entry of a step if it is there and whole; *ret says so. */
int step_find(struct steps *s, struct step *step, bool *ret, struct error *err);

#endif
