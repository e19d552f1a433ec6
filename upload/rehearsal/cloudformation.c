/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "clock.h"
#include "operations.h"
#include "stack.h"
#include "template.h"

/* AWS CloudFormation API Reference, 2010-05-15. */

#define TEMPLATE_MAX 51200
#define EVENTS_A_POLL 2

static void bad(struct call *c, const char *sentence, const char *what)
{
	call_error(c, 400, "ValidationError", NULL, "%s%s", sentence, what);
}

/* ---------------------------------------------------------------- stacks */

static char *stack_arn(const struct rehearsal *r, const struct object *o)
{
	return string_printf("arn:aws:cloudformation:%s:%s:stack/%s/%s", o->region, r->account, object_get(o, "Name"),
			     o->id + strlen("stack-"));
}

static bool is_deleted(const struct object *o)
{
	return strcmp(object_get(o, "State"), "DELETE_COMPLETE") == 0;
}

/* By name as long as it is there, by ARN for good. */
static struct object *find_stack(const struct call *c, const char *name)
{
	const struct objects *all = &c->r->objects;

	for (size_t i = 0; i < all->count; i++) {
		struct object *o = all->items[i];
		CLEANUP_FREE char *arn = NULL;

		if (!object_is(o, "stack") || strcmp(o->region, c->region) != 0)
			continue;
		arn = stack_arn(c->r, o);
		if (strcmp(name, arn) == 0 || (strcmp(name, object_get(o, "Name")) == 0 && !is_deleted(o)))
			return o;
	}
	return NULL;
}

static struct object *need_stack(struct call *c)
{
	const char *name = call_needs(c, "StackName");
	struct object *o = name ? find_stack(c, name) : NULL;

	if (name && !o)
		call_error(c, 400, "ValidationError", NULL, "Stack with id %s does not exist", name);
	return o;
}

static bool save(struct call *c, struct object *o)
{
	struct error err = ERROR_INIT;

	if (object_save(o, &err) == 0)
		return true;
	call_failed(c, &err);
	return false;
}

/* ---------------------------------------------------------------- CreateStack */

static bool has_capability(const struct call *c, const char *name)
{
	const char *value;

	for (unsigned int i = 1; (value = call_parameterf(c, "Capabilities.member.%u", i)); i++)
		if (strcmp(value, name) == 0)
			return true;
	return false;
}

static bool check_capabilities(struct call *c, const struct template *t)
{
	bool named = has_capability(c, "CAPABILITY_NAMED_IAM");
	const char *missing = NULL;

	if (t->names_roles && !named)
		missing = "CAPABILITY_NAMED_IAM";
	else if (t->makes_roles && !named && !has_capability(c, "CAPABILITY_IAM"))
		missing = "CAPABILITY_IAM";
	if (missing)
		call_error(c, 400, "InsufficientCapabilitiesException", NULL, "Requires capabilities : [%s]", missing);
	return !missing;
}

static const char *given_parameter(const struct call *c, const char *name)
{
	const char *key;

	for (unsigned int i = 1; (key = call_parameterf(c, "Parameters.member.%u.ParameterKey", i)); i++)
		if (strcmp(key, name) == 0)
			return call_parameterf(c, "Parameters.member.%u.ParameterValue", i);
	return NULL;
}

static bool check_stack_parameters(struct call *c, const struct template *t)
{
	const char *key;

	for (unsigned int i = 1; (key = call_parameterf(c, "Parameters.member.%u.ParameterKey", i)); i++) {
		if (!pairs_get(&t->parameters, key)) {
			bad(c, "These parameters do not exist in the template: ", key);
			return false;
		}
	}
	for (size_t i = 0; i < t->parameters.count; i++) {
		const struct pair *p = &t->parameters.items[i];

		if (strcmp(p->value, "required") == 0 && !given_parameter(c, p->name)) {
			bad(c, "These parameters must have values: ", p->name);
			return false;
		}
	}
	return true;
}

static bool is_stack_name(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
	bool letter = (*name >= 'A' && *name <= 'Z') || (*name >= 'a' && *name <= 'z');

	return letter && strlen(name) <= 128 && strspn(name, allowed) == strlen(name);
}

static bool read_template(struct call *c, struct template *t)
{
	const char *body = call_needs(c, "TemplateBody");
	struct error err = ERROR_INIT;

	if (!body)
		return false;
	if (strlen(body) > TEMPLATE_MAX)
		bad(c, "TemplateBody must have at most 51200 bytes", "");
	else if (template_parse(body, strlen(body), t, &err) < 0)
		bad(c, "", err.message);
	else
		return true;
	return false;
}

static void keep_outputs(const struct call *c, struct object *o, const struct template *t)
{
	for (size_t i = 0; i < t->outputs.count; i++) {
		const struct pair *output = &t->outputs.items[i];
		const char *given = given_parameter(c, output->value);
		CLEANUP_FREE char *key = string_printf("output:%s", output->name);
		CLEANUP_FREE char *made = string_printf("rehearsal-%s", *output->value ? output->value : output->name);

		object_set(o, key, given ? given : made);
	}
}

static void keep_given(const struct call *c, struct object *o)
{
	const char *key;

	for (unsigned int i = 1; (key = call_parameterf(c, "Parameters.member.%u.ParameterKey", i)); i++) {
		const char *value = call_parameterf(c, "Parameters.member.%u.ParameterValue", i);
		CLEANUP_FREE char *field = string_printf("parameter:%s", key);

		object_set(o, field, value ? value : "");
	}
	for (unsigned int i = 1; (key = call_parameterf(c, "Tags.member.%u.Key", i)); i++) {
		const char *value = call_parameterf(c, "Tags.member.%u.Value", i);
		CLEANUP_FREE char *field = string_printf("tag:%s", key);

		object_set(o, field, value ? value : "");
	}
}

static void answer_stack_id(struct call *c, const struct object *o)
{
	CLEANUP_FREE char *arn = stack_arn(c->r, o);

	markup_leaf(call_xml_begin(c), "StackId", arn);
	call_xml_end(c);
}

static void make_stack(struct call *c, const char *name, const struct template *t)
{
	struct object *o = objects_add(&c->r->objects, "stack", c->region, clock_now_ms());
	const char *token = call_parameter(c, "ClientRequestToken");

	object_set(o, "Name", name);
	object_set(o, "Token", token ? token : "");
	object_set(o, "Template", call_parameter(c, "TemplateBody"));
	object_set_number(o, "Started", (uint64_t)rehearsal_time(c->r));
	keep_given(c, o);
	keep_outputs(c, o, t);
	stack_plan_creation(o, t, c->fault.kind == FAULT_FAILED);
	stack_show(o, 1);
	if (save(c, o))
		answer_stack_id(c, o);
}

static void create_stack(struct call *c)
{
	const char *name = call_needs(c, "StackName"), *token = call_parameter(c, "ClientRequestToken");
	CLEANUP_TEMPLATE struct template t = TEMPLATE_INIT;
	const struct object *same;

	if (!name)
		return;
	if (!is_stack_name(name)) {
		bad(c, "StackName must have letters, digits and '-', a letter first: ", name);
		return;
	}
	same = find_stack(c, name);
	if (same && token && strcmp(object_get(same, "Token"), token) == 0)
		answer_stack_id(c, same);
	else if (same)
		call_error(c, 400, "AlreadyExistsException", NULL, "Stack [%s] already exists", name);
	else if (read_template(c, &t) && check_capabilities(c, &t) && check_stack_parameters(c, &t))
		make_stack(c, name, &t);
}

/* ---------------------------------------------------------------- the rest */

/* Fields PREFIXKEY as <NAMEs><member>. */
static void put_members(struct buf *b, const struct object *o, const char *prefix, const char *list, const char *key,
			const char *value)
{
	size_t len = strlen(prefix);

	markup_open(b, list);
	for (size_t i = 0; i < o->fields.count; i++) {
		if (strncmp(o->fields.items[i].name, prefix, len) != 0)
			continue;
		markup_open(b, "member");
		markup_leaf(b, key, o->fields.items[i].name + len);
		markup_leaf(b, value, o->fields.items[i].value);
		markup_close(b, "member");
	}
	markup_close(b, list);
}

static void put_stack(struct call *c, struct buf *b, const struct object *o)
{
	CLEANUP_FREE char *arn = stack_arn(c->r, o);
	char time[CLOCK_TEXT_SIZE];

	clock_iso((int64_t)object_number(o, "Started"), time);
	markup_open(b, "member");
	markup_leaf(b, "StackId", arn);
	markup_leaf(b, "StackName", object_get(o, "Name"));
	markup_leaf(b, "CreationTime", time);
	markup_leaf(b, "StackStatus", object_get(o, "State"));
	if (*object_get(o, "Reason"))
		markup_leaf(b, "StackStatusReason", object_get(o, "Reason"));
	markup_bool(b, "DisableRollback", false);
	put_members(b, o, "parameter:", "Parameters", "ParameterKey", "ParameterValue");
	if (strcmp(object_get(o, "State"), "CREATE_COMPLETE") == 0)
		put_members(b, o, "output:", "Outputs", "OutputKey", "OutputValue");
	put_members(b, o, "tag:", "Tags", "Key", "Value");
	markup_close(b, "member");
}

static bool go_on(struct call *c, struct object *o)
{
	stack_show(o, EVENTS_A_POLL);
	return save(c, o);
}

static void describe_stacks(struct call *c)
{
	const struct objects *all = &c->r->objects;
	bool one = call_parameter(c, "StackName");
	struct object *o = one ? need_stack(c) : NULL;
	struct buf *b;

	if ((one && !o) || (o && !go_on(c, o)))
		return;
	b = call_xml_begin(c);
	markup_open(b, "Stacks");
	for (size_t i = 0; i < all->count; i++)
		if (one ? all->items[i] == o : object_is(all->items[i], "stack") && !is_deleted(all->items[i]) &&
						       strcmp(all->items[i]->region, c->region) == 0)
			put_stack(c, b, all->items[i]);
	markup_close(b, "Stacks");
	call_xml_end(c);
}

static void put_event(struct call *c, struct buf *b, const struct object *o, uint64_t n)
{
	CLEANUP_FREE char *arn = stack_arn(c->r, o), *copy = string_copy(stack_event(o, n));
	CLEANUP_FREE char *id = NULL, *physical = NULL;
	struct stack_event e = stack_event_split(copy);
	char time[CLOCK_TEXT_SIZE];

	id = string_printf("%s-%03u", e.id, (unsigned int)n);
	physical = string_printf("rehearsal-%s", e.id);
	clock_iso((int64_t)(object_number(o, "Started") + n), time);
	markup_open(b, "member");
	markup_leaf(b, "StackId", arn);
	markup_leaf(b, "EventId", id);
	markup_leaf(b, "StackName", object_get(o, "Name"));
	markup_leaf(b, "LogicalResourceId", e.id);
	markup_leaf(b, "PhysicalResourceId", strcmp(e.type, STACK_TYPE) == 0 ? arn : physical);
	markup_leaf(b, "ResourceType", e.type);
	markup_leaf(b, "Timestamp", time);
	markup_leaf(b, "ResourceStatus", e.status);
	if (*e.reason)
		markup_leaf(b, "ResourceStatusReason", e.reason);
	markup_close(b, "member");
}

/* The newest first. A page's token is how many there were when the first page was given out, less those given. */
static void describe_events(struct call *c)
{
	struct object *o = need_stack(c);
	const char *token = call_parameter(c, "NextToken");
	uint64_t from, most = c->r->settings.page_size ? c->r->settings.page_size : 100;
	struct buf *b;

	if (!o || (!token && !go_on(c, o)))
		return;
	from = object_number(o, "Shown");
	if (token && !call_number(token, 1, from, &from)) {
		bad(c, "NextToken is not one that was given out: ", token);
		return;
	}
	b = call_xml_begin(c);
	markup_open(b, "StackEvents");
	for (; from > 0 && most > 0; most--)
		put_event(c, b, o, --from);
	markup_close(b, "StackEvents");
	if (from > 0)
		markup_number(b, "NextToken", from);
	call_xml_end(c);
}

/* Of a stack that is not there, or is being deleted, there is nothing to be done. */
static void delete_stack(struct call *c)
{
	const char *name = call_needs(c, "StackName");
	struct object *o = name ? find_stack(c, name) : NULL;
	CLEANUP_TEMPLATE struct template t = TEMPLATE_INIT;
	struct error err = ERROR_INIT;

	if (!name)
		return;
	if (o && !is_deleted(o) && strcmp(object_get(o, "State"), "DELETE_IN_PROGRESS") != 0) {
		if (template_parse(object_get(o, "Template"), strlen(object_get(o, "Template")), &t, &err) < 0) {
			call_failed(c, &err);
			return;
		}
		stack_plan_deletion(o, &t, c->fault.kind == FAULT_FAILED);
		stack_show(o, 1);
		if (!save(c, o))
			return;
	}
	(void)call_xml_begin(c);
	call_xml_end(c);
}

static void validate_template(struct call *c)
{
	CLEANUP_TEMPLATE struct template t = TEMPLATE_INIT;
	struct buf *b;

	if (!read_template(c, &t))
		return;
	b = call_xml_begin(c);
	markup_open(b, "Parameters");
	for (size_t i = 0; i < t.parameters.count; i++) {
		markup_open(b, "member");
		markup_leaf(b, "ParameterKey", t.parameters.items[i].name);
		markup_close(b, "member");
	}
	markup_close(b, "Parameters");
	call_xml_end(c);
}

#define CREATION_PARAMETERS "StackName", "TemplateBody", "Parameters.member.#.ParameterKey", \
			    "Parameters.member.#.ParameterValue", "Capabilities.member.#", "Tags.member.#.Key", \
			    "Tags.member.#.Value", "ClientRequestToken", "OnFailure", "DisableRollback", \
			    "TimeoutInMinutes", "RoleARN", "EnableTerminationProtection"

const struct operation cloudformation_operations[] = {
	{ .name = "CreateStack", .service = SERVICE_CLOUDFORMATION, .subject = "StackName", .run = create_stack,
	  .parameters = (const char *const[]){ CREATION_PARAMETERS, NULL } },
	{ .name = "DescribeStacks", .service = SERVICE_CLOUDFORMATION, .subject = "StackName", .run = describe_stacks,
	  .parameters = (const char *const[]){ "StackName", "NextToken", NULL } },
	{ .name = "DescribeStackEvents", .service = SERVICE_CLOUDFORMATION, .subject = "StackName",
	  .run = describe_events, .parameters = (const char *const[]){ "StackName", "NextToken", NULL } },
	{ .name = "DeleteStack", .service = SERVICE_CLOUDFORMATION, .subject = "StackName", .run = delete_stack,
	  .parameters = (const char *const[]){ "StackName", "ClientRequestToken", "RoleARN", NULL } },
	{ .name = "ValidateTemplate", .service = SERVICE_CLOUDFORMATION, .run = validate_template,
	  .parameters = (const char *const[]){ "TemplateBody", NULL } },
	{ .name = NULL },
};
