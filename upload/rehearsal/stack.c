/* SPDX-License-Identifier: Apache-2.0 */
#include "stack.h"

#include <stdlib.h>
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/io.h"

#define TOLD "The rehearsal was told to let it fail"

struct stack_event stack_event_split(char *copy)
{
	struct stack_event e = { .id = strsep(&copy, "\n") };

	e.type = copy ? strsep(&copy, "\n") : e.id + strlen(e.id);
	e.status = copy ? strsep(&copy, "\n") : e.id + strlen(e.id);
	e.reason = copy ? copy : e.id + strlen(e.id);
	return e;
}

static void add_event(struct object *o, const char *id, const char *type, const char *status, const char *reason)
{
	CLEANUP_FREE char *text = string_printf("%s\n%s\n%s\n%s", id, type, status, reason);

	pairs_add(&o->fields, "event", text);
}

static void add_stack_event(struct object *o, const char *status, const char *reason)
{
	add_event(o, object_get(o, "Name"), STACK_TYPE, status, reason);
}

/* `last` becomes of the last one what `done` becomes of the others. */
static void add_resource_events(struct object *o, const struct template *t, const char *begun, const char *done,
				const char *last)
{
	for (size_t i = 0; i < t->resources.count; i++) {
		const struct pair *r = &t->resources.items[i];
		bool failed = i + 1 == t->resources.count && strcmp(done, last) != 0;

		add_event(o, r->name, r->value, begun, "");
		add_event(o, r->name, r->value, failed ? last : done, failed ? TOLD : "");
	}
}

void stack_plan_creation(struct object *o, const struct template *t, bool fails)
{
	const struct pair *last = &t->resources.items[t->resources.count - 1];
	CLEANUP_FREE char *reason = string_printf("The following resource(s) failed to create: [%s].", last->name);

	add_stack_event(o, "CREATE_IN_PROGRESS", "User Initiated");
	add_resource_events(o, t, "CREATE_IN_PROGRESS", "CREATE_COMPLETE", fails ? "CREATE_FAILED" : "CREATE_COMPLETE");
	if (!fails) {
		add_stack_event(o, "CREATE_COMPLETE", "");
		return;
	}
	add_stack_event(o, "ROLLBACK_IN_PROGRESS", reason);
	add_resource_events(o, t, "DELETE_IN_PROGRESS", "DELETE_COMPLETE", "DELETE_COMPLETE");
	add_stack_event(o, "ROLLBACK_COMPLETE", "");
}

const char *stack_event(const struct object *o, uint64_t n)
{
	for (size_t i = 0; i < o->fields.count; i++)
		if (strcmp(o->fields.items[i].name, "event") == 0 && n-- == 0)
			return o->fields.items[i].value;
	return NULL;
}

static uint64_t count_events(const struct object *o)
{
	uint64_t count = 0;

	while (stack_event(o, count))
		count++;
	return count;
}

/* What has not been shown does not happen any more. */
static void drop_events(struct object *o)
{
	uint64_t shown = object_number(o, "Shown"), n = 0;
	size_t kept = 0;

	for (size_t i = 0; i < o->fields.count; i++) {
		struct pair *field = &o->fields.items[i];

		if (strcmp(field->name, "event") != 0 || n++ < shown) {
			o->fields.items[kept++] = *field;
			continue;
		}
		free(field->name);
		free(field->value);
	}
	o->fields.count = kept;
}

void stack_show(struct object *o, uint64_t more)
{
	uint64_t shown = object_number(o, "Shown") + more, count = count_events(o);

	if (shown > count)
		shown = count;
	object_set_number(o, "Shown", shown);
	for (uint64_t n = 0; n < shown; n++) {
		CLEANUP_FREE char *copy = string_copy(stack_event(o, n));
		struct stack_event e = stack_event_split(copy);

		if (strcmp(e.type, STACK_TYPE) == 0) {
			object_set(o, "State", e.status);
			object_set(o, "Reason", e.reason);
		}
	}
}

void stack_plan_deletion(struct object *o, const struct template *t, bool fails)
{
	const struct pair *first = &t->resources.items[0];
	CLEANUP_FREE char *reason = string_printf("The following resource(s) failed to delete: [%s].", first->name);

	drop_events(o);
	add_stack_event(o, "DELETE_IN_PROGRESS", "User Initiated");
	if (fails) {
		add_event(o, first->name, first->value, "DELETE_FAILED", TOLD);
		add_stack_event(o, "DELETE_FAILED", reason);
		return;
	}
	add_resource_events(o, t, "DELETE_IN_PROGRESS", "DELETE_COMPLETE", "DELETE_COMPLETE");
	add_stack_event(o, "DELETE_COMPLETE", "");
}
