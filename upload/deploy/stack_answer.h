/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_DEPLOY_STACK_ANSWER_H
#define KILN_UPLOAD_DEPLOY_STACK_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct xml;

/* CloudFormation's answers (API 2010-05-15), taken apart. Pure. All strings are malloc'ed and never NULL. */

struct stack_output {
	char *key, *value, *about;
};

struct stack {
	char *id;			/* ARN; a deleted stack is known by this alone */
	char *name;
	char *status, *reason;		/* "CREATE_COMPLETE", "" */
	struct stack_output *outputs;
	size_t output_count;
};
void stack_free(struct stack *s);
#define CLEANUP_STACK __attribute__((cleanup(stack_free)))

/* The first stack that an answer to DescribeStacks describes. ERROR_OUTSIDE when there is none in it. */
int stack_read(const struct xml *answer, struct stack *ret, struct error *err);

/* Nothing goes on any more. */
bool stack_is_settled(const struct stack *s);

struct stack_event {
	char *id;
	char *time;			/* ISO 8601 */
	char *resource, *type;		/* logical name, "AWS::EC2::Instance" */
	char *status, *reason;
};

struct stack_events {
	struct stack_event *items;	/* newest first, as CloudFormation gives them */
	size_t count;
};
void stack_events_free(struct stack_events *e);
#define CLEANUP_STACK_EVENTS __attribute__((cleanup(stack_events_free)))

/*
 * Appends the events of one answer to DescribeStackEvents up to the one whose id is `seen` (NULL: all). *ret_next is
 * the token of the next page, malloc'ed, or NULL when there is none, or `seen` was met.
 */
int stack_events_read(const struct xml *answer, const char *seen, struct stack_events *ret, char **ret_next,
		      struct error *err);

/* Does it tell why an operation failed? What was only cancelled because another failed does not. */
bool stack_event_is_cause(const struct stack_event *e);

#endif
