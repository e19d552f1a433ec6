/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/size_text.h"
#include "ec2.h"
#include "journal.h"
#include "share.h"
#include "task.h"

/* Of the form that EC2 takes, and of nothing: permissions are looked at before anything else. */
#define NO_SNAPSHOT "snap-00000000000000000"
#define NO_IMAGE "ami-00000000000000000"

/* Allowed is an error, too: DryRunOperation. What complains of the ids had no objection to the caller. */
static bool allows(const char *code)
{
	return strcmp(code, "DryRunOperation") == 0 || strncmp(code, "InvalidSnapshot", strlen("InvalidSnapshot")) == 0 ||
	       strncmp(code, "InvalidAMI", strlen("InvalidAMI")) == 0;
}

static int ask(struct task *t, const char *action, struct form *form, unsigned int *refused, struct error *err)
{
	struct error why = ERROR_INIT;
	const char *code;

	form_add(form, "true", "DryRun");
	if (ec2_call(t->aws, action, form, NULL, &why) == 0)
		return error_outside(err, "ec2:%s: EC2 did it, though it was asked not to", action);
	code = aws_last_code(t->aws);
	if (allows(code)) {
		printf("allowed  ec2:%s\n", action);
		return 0;
	}
	if (strcmp(code, "UnauthorizedOperation")) {
		*err = why;
		return -why.code;
	}
	printf("REFUSED  ec2:%s\n", action);
	(*refused)++;
	return 0;
}

static int ask_register(struct task *t, unsigned int *refused, struct error *err)
{
	CLEANUP_FORM struct form form = FORM_INIT;
	struct image_request q;

	task_image_request(t, &q);
	if (!q.snapshot)
		q.snapshot = NO_SNAPSHOT;
	image_register_form(&q, &form);
	return ask(t, "RegisterImage", &form, refused, err);
}

static int ask_plain(struct task *t, const char *action, const char *name, const char *value, unsigned int *refused,
		     struct error *err)
{
	CLEANUP_FORM struct form form = FORM_INIT;

	if (name)
		form_add(&form, value, "%s", name);
	return ask(t, action, &form, refused, err);
}

static int ask_share(struct task *t, unsigned int *refused, struct error *err)
{
	CLEANUP_FORM struct form form = FORM_INIT;

	if (t->options->shares.count == 0 && !t->options->everybody)
		return 0;
	share_form(NO_IMAGE, &t->options->shares, t->options->everybody, &form);
	return ask(t, "ModifyImageAttribute", &form, refused, err);
}

static int ask_all(struct task *t, struct error *err)
{
	unsigned int refused = 0;
	int r = ask_plain(t, "DescribeSnapshots", NULL, NULL, &refused, err);

	if (r == 0)
		r = ask_plain(t, "DescribeImages", NULL, NULL, &refused, err);
	if (r == 0)
		r = ask_register(t, &refused, err);
	if (r == 0)
		r = ask_share(t, &refused, err);
	if (r == 0)
		r = ask_plain(t, "DeleteSnapshot", "SnapshotId", NO_SNAPSHOT, &refused, err);
	if (r == 0 && refused)
		r = error_verdict(err, "%u of these calls %s not allowed", refused, refused == 1 ? "is" : "are");
	return r;
}

static size_t count_missing(const struct block_index *plan, const struct block_index *sent)
{
	size_t missing = 0;

	for (size_t i = 0; i < plan->count; i++) {
		const uint8_t *digest = block_index_find(sent, plan->entries[i].block);

		missing += !digest || memcmp(digest, plan->entries[i].digest, BLOCK_DIGEST_SIZE);
	}
	return missing;
}

static void print_plan(const struct task *t)
{
	size_t blocks = count_missing(&t->plan, &journal_state(t->journal)->sent);
	char size[SIZE_TEXT_MAX];

	size_text((uint64_t)blocks * BLOCK_SIZE, size);
	printf("name     %s\nparent   %s\nto send  %zu of %" PRIu32 " blocks, %s\n", t->name,
	       task_has_parent(t) ? t->parent.snapshot : "none", blocks, t->disk.gib * BLOCKS_PER_GIB, size);
}

int task_dry_run(struct task *t, struct error *err)
{
	if (t->image) {
		printf("name     %s\nthere    %s\nto send  nothing\n", t->name, t->image);
		return 0;
	}
	print_plan(t);
	printf("unasked  ebs:StartSnapshot, ebs:PutSnapshotBlock, ebs:CompleteSnapshot (EBS has no dry run)\n");
	return ask_all(t, err);
}
