/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_STAGE_H
#define KILN_MODEL_STAGE_H

#include "stage_key.h"

struct error;
struct plan;
struct scratch;
struct store;
struct workshop;

/*
 * The contract of a stage: one file, one `const struct stage` at its end, one line in
 * stages/registry.c. A stage reads the plan and the artifacts it names as inputs, and writes the
 * artifacts it names as outputs, files or whole trees, into its output directory; nothing else. The
 * pipeline runs it only when the cache has no outputs for its key.
 */

enum stage_room {
	ROOM_FACTORY,		/* bytes in, bytes out, in this process */
	ROOM_APPLIANCE,		/* in the build's one appliance session (ctx->workshop) */
};

#define STAGE_ARTIFACTS_MAX 8

struct stage_context {
	const struct plan *plan;
	const struct store *store;	/* the package store */
	struct workshop *workshop;	/* ROOM_APPLIANCE only */
	const char *cache;		/* cache directory (appliance kernel, ...) */
	const char *output;		/* directory for this stage's outputs */
	const struct artifacts *artifacts;	/* what the stage reads, and no other */
};

struct stage {
	const char *name;		/* "erofs" */
	const char *title;		/* "making the EROFS image", for progress */
	const char *version;		/* part of the key: change it when the same input gives other bytes */
	enum stage_room room;
	const char *inputs[STAGE_ARTIFACTS_MAX];	/* artifact names, NULL-terminated */
	const char *outputs[STAGE_ARTIFACTS_MAX];
	/* The layer this stage needs on the workshop's target disk when it begins: an artifact name, or
	 * NULL for "does not touch the target". A stage that outputs a layer leaves it there. */
	const char *layer;
	/* Adds everything it reads from the plan, and of files the plan names, to its key. */
	int (*key)(const struct plan *plan, struct stage_key *key, struct error *err);
	int (*run)(const struct stage_context *ctx, struct error *err);
};

/* A scratch directory (base/io.h) on the cache's file system, for what a stage makes on its way. */
int stage_scratch(const struct stage_context *ctx, struct scratch *ret, struct error *err);

/* The ordered table, NULL-terminated (stages/registry.c). */
extern const struct stage *const stage_registry[];

/* Artifacts by name. Paths are absolute and owned by the set. */
struct artifacts;
struct artifacts *artifacts_new(void);
void artifacts_free(struct artifacts *set);
void artifacts_freep(struct artifacts **set);
#define CLEANUP_ARTIFACTS __attribute__((cleanup(artifacts_freep)))
void artifacts_add(struct artifacts *set, const char *name, const char *path, const char *id);
/* NULL when absent. The id is the key of the stage that made it, "/", and the name. */
const char *artifacts_path(const struct artifacts *set, const char *name);
const char *artifacts_id(const struct artifacts *set, const char *name);

#endif
