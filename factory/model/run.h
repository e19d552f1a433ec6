/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_RUN_H
#define KILN_MODEL_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct error;

/*
 * run.json: facts about one run of a build, beside its results. They are for people who ask why two builds
 * took different ways or times; nothing about the image is in it and nothing in it reaches the image, so
 * it is never compared. No user, no host name, no path.
 */

#define RUN_SCHEMA 1
#define RUN_FILE "run.json"

struct run_stage {
	char *name;
	char *key;
	char *outcome;			/* "done", "reused" */
	double seconds;
};

struct run {
	int64_t started;		/* seconds since 1970 */
	double seconds;
	char *kiln;			/* version */
	char *kernel, *machine;		/* of the host, as uname(2) has them */
	unsigned int processors;	/* that the build was allowed */
	char *qemu, *accel, *libguestfs;	/* NULL: no appliance was started */
	struct run_stage *stages;
	size_t stage_count;
};

struct run *run_new(void);
void run_free(struct run *run);
void run_freep(struct run **run);
#define CLEANUP_RUN __attribute__((cleanup(run_freep)))

void run_add_stage(struct run *run, const char *name, const char *key, const char *outcome,
		   double seconds);
/* JSON text, appended to `ret`. */
int run_format(const struct run *run, struct buf *ret, struct error *err);
/* What run.json at `path` says of a stage's key. */
int run_read_key(const char *path, const char *stage, char ret[static 65], struct error *err);

#endif
