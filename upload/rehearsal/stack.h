/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_STACK_H
#define KILN_REHEARSAL_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "object.h"
#include "template.h"

/*
 * A stack's events. It has all those of its creation (later, of its deletion) from the start, as fields "event" of lines,
 * and shows a few more of them each time it is asked about. So whoever waits for it sees it go on, and no clock is in
 * it. Fields: Name, Shown (how many), State and Reason (of its last event that was shown).
 */

#define STACK_TYPE "AWS::CloudFormation::Stack"

/* Name must be there. */
void stack_plan_creation(struct object *o, const struct template *t, bool fails);
/* What was not shown until now does not happen any more. */
void stack_plan_deletion(struct object *o, const struct template *t, bool fails);
/* Shows so many more. */
void stack_show(struct object *o, uint64_t more);

/* The n-th event's text, from 0 on; NULL: there is none. */
const char *stack_event(const struct object *o, uint64_t n);
struct stack_event {
	char *id, *type, *status, *reason;
};
/* Cuts a copy of the text, in place. */
struct stack_event stack_event_split(char *copy);

#endif
