/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/arguments.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/log.h"
#include "../../factory/model/manifest.h"
#include "../aws.h"
#include "../commands.h"
#include "stack_calls.h"
#include "template.h"

static const struct command verb_template, verb_create, verb_events, verb_delete;

#define ARGUMENTS_TEMPLATE(o) \
	{ .name = "image-id", .kind = ARGUMENT_TEXT, .target = &(o).image_id }, \
	{ .name = "cidr", .kind = ARGUMENT_TEXT, .target = &(o).cidr }, \
	{ .name = "instance-type", .kind = ARGUMENT_TEXT, .target = &(o).instance_type }, \
	{ .name = "volume-size", .kind = ARGUMENT_NUMBER, .target = &(o).volume_gib, .least = 1, .most = 65536 }, \
	{ .name = "vpc", .kind = ARGUMENT_TEXT, .target = &(o).vpc }, \
	{ .name = "subnet", .kind = ARGUMENT_TEXT, .target = &(o).subnet }, \
	{ .name = "admin", .kind = ARGUMENT_TEXT, .target = &(o).administrator }, \
	{ .name = "publisher", .kind = ARGUMENT_TEXT, .target = &(o).publisher }, \
	{ .name = "key", .kind = ARGUMENT_TEXT, .target = &(o).key }, \
	{ .name = "bucket", .kind = ARGUMENT_TEXT, .target = &(o).bucket }

/* ---------------------------------------------------------------- showing */

static void format_event(const struct stack_event *e, char *ret, size_t size)
{
	(void)snprintf(ret, size, "%.19s  %-27s %s  %s%s%s", e->time, e->status, e->resource, e->type,
		       *e->reason ? "  " : "", e->reason);
}

static void log_event(const struct stack_event *e)
{
	char line[1024];

	format_event(e, line, sizeof(line));
	log_info("%s", line);
}

static void print_event(const struct stack_event *e)
{
	char line[1024];

	format_event(e, line, sizeof(line));
	puts(line);
	(void)fflush(stdout);	/* main() looks whether it went out */
}

static void print_outputs(const struct stack *s)
{
	printf("Stack           %s\n", s->id);
	for (size_t i = 0; i < s->output_count; i++)
		printf("%-15s %s\n", s->outputs[i].key, s->outputs[i].value);
}

/* ---------------------------------------------------------------- the template */

/* Where it was registered last; NULL when it was not, there. */
static const char *registered(const struct manifest *m, const char *region)
{
	for (size_t i = m->uploads.count; i > 0; i--)
		if (strcmp(m->uploads.items[i - 1].region, region) == 0)
			return m->uploads.items[i - 1].image;
	return NULL;
}

static int template_verb(int argc, char **argv, struct error *err)
{
	CLEANUP_MANIFEST struct manifest *m = NULL;
	CLEANUP_BUF struct buf text = BUF_INIT(TEMPLATE_SIZE_MAX);
	struct template_options o = { .image_id = NULL };
	struct operands operands;
	int r;

	const struct argument table[] = { ARGUMENTS_TEMPLATE(o), { .name = NULL } };

	r = arguments_parse(&verb_template, table, argc, argv, "manifest", 1, 1, &operands, err);
	if (r == 0)
		r = manifest_read(operands.items[0], &m, err);
	if (r < 0)
		return r;
	o.binding = policy_binding_default(m);
	r = template_format(&o, &text, err);
	if (r == 0)
		fputs(buf_text(&text), stdout);
	return r;
}

/* ---------------------------------------------------------------- making the stack */

struct creation {
	const char *name;
	struct aws_options aws;
	struct template_options template;
	bool no_wait;
};

static int make_template(const struct creation *c, const struct aws *a, struct buf *ret, struct error *err)
{
	const struct manifest *m = c->template.binding.manifest;
	struct template_options o = c->template;

	if (!o.image_id)
		o.image_id = registered(m, aws_region(a));
	if (!o.image_id)
		return error_input(err, "%s %s is not registered in %s: upload it there first, or name an image with --image-id",
				   m->name, m->version, aws_region(a));
	return template_format(&o, ret, err);
}

static int explain_creation(const struct stack *s, const struct stack_watch *w, struct error *err)
{
	if (strcmp(s->status, "CREATE_COMPLETE") == 0)
		return 0;
	return error_outside(err, "the stack %s ended in %s: %s; \"kiln-upload deploy delete %s\" clears it away", s->name,
			     s->status, w->cause ? w->cause : *s->reason ? s->reason : "no reason was given", s->name);
}

static int watch_creation(struct aws *a, const char *name, const char *id, struct error *err)
{
	CLEANUP_STACK struct stack s = { .id = NULL };
	CLEANUP_STACK_WATCH struct stack_watch w = { .seen = NULL };
	int r = stack_watch_until_settled(a, id, &w, log_event, &s, err);

	if (r == -EINTR)
		log_info("the stack is made all the same; \"kiln-upload deploy events %s --follow\" shows the rest",
			 name);
	if (r == 0)
		r = explain_creation(&s, &w, err);
	if (r == 0)
		print_outputs(&s);
	return r;
}

static int create(const struct creation *c, struct error *err)
{
	CLEANUP_AWS struct aws *a = NULL;
	CLEANUP_BUF struct buf text = BUF_INIT(TEMPLATE_SIZE_MAX);
	CLEANUP_FREE char *id = NULL;
	int r = aws_open(&c->aws, &a, err);

	if (r == 0)
		r = make_template(c, a, &text, err);
	if (r == 0)
		r = stack_create(a, c->name, &text, &id, err);
	if (r < 0)
		return r;
	if (!c->no_wait)
		return watch_creation(a, c->name, id, err);
	printf("Stack           %s\n", id);
	return 0;
}

static int create_verb(int argc, char **argv, struct error *err)
{
	CLEANUP_MANIFEST struct manifest *m = NULL;
	struct creation c = { .name = NULL };
	struct operands operands;
	int r;

	const struct argument table[] = {
		AWS_ARGUMENTS(c.aws),
		ARGUMENTS_TEMPLATE(c.template),
		{ .name = "no-wait", .kind = ARGUMENT_FLAG, .target = &c.no_wait },
		{ .name = NULL },
	};

	r = arguments_parse(&verb_create, table, argc, argv, "stack's name or the manifest", 2, 2, &operands, err);
	if (r < 0)
		return r;
	c.name = operands.items[0];
	if (!c.template.cidr)
		return error_input(err, "kiln-upload deploy create: say with --cidr who may reach the service");
	r = stack_check_name(c.name, err);
	if (r == 0)
		r = manifest_read(operands.items[1], &m, err);
	if (r < 0)
		return r;
	c.template.binding = policy_binding_default(m);
	return create(&c, err);
}

/* ---------------------------------------------------------------- looking at it */

static int events(const struct aws_options *options, const char *name, bool follow, struct error *err)
{
	CLEANUP_AWS struct aws *a = NULL;
	CLEANUP_STACK struct stack s = { .id = NULL };
	CLEANUP_STACK_WATCH struct stack_watch w = { .seen = NULL };
	int r = aws_open(options, &a, err);

	if (r == 0)
		r = stack_describe(a, name, &s, err);
	if (r < 0)
		return r;
	if (follow) {
		CLEANUP_STACK struct stack settled = { .id = NULL };

		return stack_watch_until_settled(a, s.id, &w, print_event, &settled, err);
	}
	return stack_watch_events(a, s.id, &w, print_event, err);
}

static int events_verb(int argc, char **argv, struct error *err)
{
	struct aws_options options = { .region = NULL };
	bool follow = false;
	struct operands operands;
	int r;

	const struct argument table[] = {
		AWS_ARGUMENTS(options),
		{ .name = "follow", .letter = 'f', .kind = ARGUMENT_FLAG, .target = &follow },
		{ .name = NULL },
	};

	r = arguments_parse(&verb_events, table, argc, argv, "stack's name", 1, 1, &operands, err);
	return r < 0 ? r : events(&options, operands.items[0], follow, err);
}

/* ---------------------------------------------------------------- deleting it */

/* The template has them kept; whoever does not want them has to say so to AWS. */
static void log_kept(const struct stack *before)
{
	for (size_t i = 0; i < before->output_count; i++) {
		const struct stack_output *o = &before->outputs[i];

		if (strcmp(o->key, "KeyArn") == 0 || strcmp(o->key, "BucketName") == 0)
			log_info("kept, with what it protects or holds: %s %s", o->key, o->value);
	}
}

static int explain_deletion(const struct stack *s, const struct stack_watch *w, struct error *err)
{
	if (strcmp(s->status, "DELETE_COMPLETE") == 0)
		return 0;
	return error_outside(err, "the stack %s ended in %s: %s", s->name, s->status,
			     w->cause ? w->cause : *s->reason ? s->reason : "no reason was given");
}

static int delete_stack(struct aws *a, const struct stack *before, bool no_wait, struct error *err)
{
	CLEANUP_STACK struct stack after = { .id = NULL };
	CLEANUP_STACK_WATCH struct stack_watch w = { .seen = NULL };
	/* The events until now are not the deletion's, and neither is what failed in them. */
	int r = stack_watch_events(a, before->id, &w, NULL, err);

	free(TAKE_PTR(w.cause));
	if (r == 0)
		r = stack_delete(a, before->id, err);
	if (r == 0 && !no_wait)
		r = stack_watch_until_settled(a, before->id, &w, log_event, &after, err);
	if (r == 0 && !no_wait)
		r = explain_deletion(&after, &w, err);
	if (r == 0)
		log_kept(before);
	return r;
}

static int delete_verb(int argc, char **argv, struct error *err)
{
	CLEANUP_AWS struct aws *a = NULL;
	CLEANUP_STACK struct stack before = { .id = NULL };
	struct aws_options options = { .region = NULL };
	bool no_wait = false;
	struct operands operands;
	int r;

	const struct argument table[] = {
		AWS_ARGUMENTS(options),
		{ .name = "no-wait", .kind = ARGUMENT_FLAG, .target = &no_wait },
		{ .name = NULL },
	};

	r = arguments_parse(&verb_delete, table, argc, argv, "stack's name", 1, 1, &operands, err);
	if (r == 0)
		r = aws_open(&options, &a, err);
	if (r == 0)
		r = stack_describe(a, operands.items[0], &before, err);
	return r < 0 ? r : delete_stack(a, &before, no_wait, err);
}

/* ---------------------------------------------------------------- the verbs */

static const struct command verb_template = {
	.name = "deploy template", .program = UPLOAD_PROGRAM, .run = template_verb, .usage = "MANIFEST [option]...",
};
static const struct command verb_create = {
	.name = "deploy create", .program = UPLOAD_PROGRAM, .run = create_verb,
	.usage = "STACK MANIFEST --cidr CIDR [option]...",
};
static const struct command verb_events = {
	.name = "deploy events", .program = UPLOAD_PROGRAM, .run = events_verb, .usage = "STACK [--follow]",
};
static const struct command verb_delete = {
	.name = "deploy delete", .program = UPLOAD_PROGRAM, .run = delete_verb, .usage = "STACK [--no-wait]",
};

static int deploy(int argc, char **argv, struct error *err)
{
	static const struct command *const verbs[] = { &verb_template, &verb_create, &verb_events, &verb_delete };

	if (argc < 2)
		return error_input(err, "kiln-upload deploy: the verb is missing; usage: kiln-upload deploy %s",
				   command_deploy.usage);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(verbs[i]->name + strlen("deploy "), argv[1]) == 0)
			return verbs[i]->run(argc - 1, argv + 1, err);
	return error_input(err, "kiln-upload deploy: unknown verb \"%s\"; usage: kiln-upload deploy %s", argv[1],
			   command_deploy.usage);
}

const struct command command_deploy = {
	.name = "deploy",
	.program = UPLOAD_PROGRAM,
	.run = deploy,
	.summary = "launch a registered image, with role, key, bucket and security group around it",
	.usage = "template|create|events|delete ...",
	.help =
		"One stack of CloudFormation: a role that reads one bucket and decrypts as this image alone, the key\n"
		"whose policy says so, the bucket, a security group that opens the service's port to one network, the\n"
		"machine.\n"
		"\n"
		"    kiln-upload deploy template MANIFEST [option]...\n"
		"        prints the template, asking AWS nothing\n"
		"    kiln-upload deploy create STACK MANIFEST --cidr CIDR [option]... [--no-wait]\n"
		"        makes the stack, shows its events, prints what it came to\n"
		"    kiln-upload deploy events STACK [--follow]\n"
		"        shows them again, or until nothing goes on any more\n"
		"    kiln-upload deploy delete STACK [--no-wait]\n"
		"        deletes all but key and bucket, which are kept\n"
		"\n"
		"    --cidr CIDR           who may reach the service: 203.0.113.7/32\n"
		"    --image-id ID         the registered image; by default where MANIFEST says it was uploaded to\n"
		"    --instance-type TYPE  g5.2xlarge\n"
		"    --volume-size GIB     of the root volume; 200\n"
		"    --vpc ID --subnet ID  in place of the account's default\n"
		"    --admin ARN           who manages the key; by default whom the account's IAM lets\n"
		"    --publisher ARN       who makes data keys with it; likewise\n"
		"    --key ARN             a key there is, another party's say, in place of a new one\n"
		"    --bucket NAME         a bucket there is, in place of a new one\n"
		"    --region REGION, --profile NAME\n"
		"                          as with the other verbs\n",
};
