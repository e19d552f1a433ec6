/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_TASK_H
#define KILN_UPLOAD_TASK_H

#include "block_index.h"
#include "image_fields.h"
#include "tag.h"
#include "upload_options.h"

struct journal;
struct transfers;

/* One upload under way: what its steps share. */
struct task {
	const struct upload_options *options;
	struct disk disk;
	struct journal *journal;
	struct transfers *transfers;
	struct aws *aws;
	char *name, *description;
	struct tags tags;
	struct block_record parent;	/* "" for its snapshot: none */
	struct block_index plan;	/* what is to be written over the parent */
	char *snapshot, *image;		/* as soon as they are known */
};

static inline bool task_has_parent(const struct task *t)
{
	return t->parent.snapshot[0];
}

void task_clear(struct task *t);
#define CLEANUP_TASK __attribute__((cleanup(task_clear)))

/* What RegisterImage is asked for; points into the task. */
void task_image_request(const struct task *t, struct image_request *ret);

/* The parent that the options ask for, or a fitting one; its blocks are read from EBS where they are not known. */
int task_choose_parent(struct task *t, struct error *err);
/* Again the parent of an upload that was begun; "" for none. */
int task_take_parent(struct task *t, const char *snapshot, struct error *err);

/* What would be sent, and whether EC2 would allow it. Prints. */
int task_dry_run(struct task *t, struct error *err);

/* Steps of the progress display. */
enum { STEP_READ = 1, STEP_PARENT, STEP_SEND, STEP_WAIT, STEP_REGISTER, STEPS = STEP_REGISTER };

#endif
