/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_DEPLOY_STACK_CALLS_H
#define KILN_UPLOAD_DEPLOY_STACK_CALLS_H

#include "stack_answer.h"

struct aws;
struct buf;
struct error;

/* Stacks of CloudFormation: made, watched, deleted. A stack is named by its name, or its id. */

/* ERROR_INPUT unless it is a letter, then at most 127 letters, digits and hyphens. */
int stack_check_name(const char *name, struct error *err);

/*
 * Starts the creation; *ret_id is malloc'ed. The template may make roles (CAPABILITY_IAM). Tried again without making
 * two: the request has a token of its own. ERROR_INPUT when the name is taken.
 */
int stack_create(struct aws *a, const char *name, const struct buf *template_text, char **ret_id, struct error *err);
int stack_delete(struct aws *a, const char *id, struct error *err);

/* -ENOENT (ERROR_INPUT) when there is no such stack. */
int stack_describe(struct aws *a, const char *name, struct stack *ret, struct error *err);

/* What is remembered while a stack is watched. */
struct stack_watch {
	char *seen;			/* id of the newest event that was shown */
	char *cause;			/* what failed first, "Machine (AWS::EC2::Instance): why" */
};
void stack_watch_free(struct stack_watch *w);
#define CLEANUP_STACK_WATCH __attribute__((cleanup(stack_watch_free)))

typedef void stack_show(const struct stack_event *event);

/* Shows (NULL: only remembers) the events since the last call, oldest first. */
int stack_watch_events(struct aws *a, const char *id, struct stack_watch *w, stack_show *show, struct error *err);
/*
 * Likewise until the stack has settled. Asks after growing intervals; for a minute, that there is no such stack may be
 * because it is too new. Ends with -EINTR at a signal.
 */
int stack_watch_until_settled(struct aws *a, const char *id, struct stack_watch *w, stack_show *show, struct stack *ret,
			      struct error *err);

#endif
