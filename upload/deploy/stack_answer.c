/* SPDX-License-Identifier: Apache-2.0 */
#include "stack_answer.h"

#include <stdlib.h>
#include <string.h>

#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/model/memory.h"
#include "../xml.h"

static bool ends_with(const char *text, const char *end)
{
	size_t size = strlen(text), tail = strlen(end);

	return size >= tail && strcmp(text + size - tail, end) == 0;
}

static char *text_of(const struct xml_node *from, const char *path)
{
	const char *text = xml_text(from, path);

	return string_copy(text ? text : "");
}

/* ---------------------------------------------------------------- stacks */

void stack_free(struct stack *s)
{
	for (size_t i = 0; i < s->output_count; i++) {
		free(s->outputs[i].key);
		free(s->outputs[i].value);
		free(s->outputs[i].about);
	}
	free(s->outputs);
	free(s->id);
	free(s->name);
	free(s->status);
	free(s->reason);
	*s = (struct stack) { .id = NULL };
}

static void read_outputs(const struct xml_node *stack, struct stack *ret)
{
	const struct xml_node *node = xml_find(stack, "Outputs/member");

	for (; node; node = xml_next(node)) {
		struct stack_output *output = memory_append(&ret->outputs, ret->output_count, sizeof(*output));

		output->key = text_of(node, "OutputKey");
		output->value = text_of(node, "OutputValue");
		output->about = text_of(node, "Description");
		ret->output_count++;
	}
}

int stack_read(const struct xml *answer, struct stack *ret, struct error *err)
{
	const struct xml_node *stack = xml_find(xml_root(answer), "DescribeStacksResult/Stacks/member");

	if (!stack || !xml_text(stack, "StackId") || !xml_text(stack, "StackStatus"))
		return error_outside(err, "cloudformation:DescribeStacks: the answer describes no stack");
	ret->id = text_of(stack, "StackId");
	ret->name = text_of(stack, "StackName");
	ret->status = text_of(stack, "StackStatus");
	ret->reason = text_of(stack, "StackStatusReason");
	read_outputs(stack, ret);
	return 0;
}

bool stack_is_settled(const struct stack *s)
{
	return !ends_with(s->status, "_IN_PROGRESS");
}

/* ---------------------------------------------------------------- events */

static void event_free(struct stack_event *e)
{
	free(e->id);
	free(e->time);
	free(e->resource);
	free(e->type);
	free(e->status);
	free(e->reason);
}

void stack_events_free(struct stack_events *e)
{
	for (size_t i = 0; i < e->count; i++)
		event_free(&e->items[i]);
	free(e->items);
	*e = (struct stack_events) { .items = NULL };
}

static void event_add(struct stack_events *events, const struct xml_node *node)
{
	struct stack_event *e = memory_append(&events->items, events->count, sizeof(*e));

	e->id = text_of(node, "EventId");
	e->time = text_of(node, "Timestamp");
	e->resource = text_of(node, "LogicalResourceId");
	e->type = text_of(node, "ResourceType");
	e->status = text_of(node, "ResourceStatus");
	e->reason = text_of(node, "ResourceStatusReason");
	events->count++;
}

int stack_events_read(const struct xml *answer, const char *seen, struct stack_events *ret, char **ret_next,
		      struct error *err)
{
	const struct xml_node *result = xml_find(xml_root(answer), "DescribeStackEventsResult"), *node;
	const char *next;

	if (!result)
		return error_outside(err, "cloudformation:DescribeStackEvents: the answer has no events");
	*ret_next = NULL;
	for (node = xml_find(result, "StackEvents/member"); node; node = xml_next(node)) {
		const char *id = xml_text(node, "EventId");

		if (!id)
			return error_outside(err, "cloudformation:DescribeStackEvents: an event has no id");
		if (seen && strcmp(id, seen) == 0)
			return 0;
		event_add(ret, node);
	}
	next = xml_text(result, "NextToken");
	*ret_next = next && *next ? string_copy(next) : NULL;
	return 0;
}

bool stack_event_is_cause(const struct stack_event *e)
{
	return ends_with(e->status, "_FAILED") && strcmp(e->type, "AWS::CloudFormation::Stack") && *e->reason &&
	       !strstr(e->reason, "cancelled");
}
