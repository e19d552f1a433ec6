/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/log.h"
#include "ebs.h"
#include "ec2.h"
#include "journal.h"
#include "records.h"
#include "task.h"

/* "" when the snapshot can be the parent, or why it cannot. An image must not become encrypted, or stop to be, unasked. */
static const char *why_not(const struct task *t, const struct snapshot *s, bool asked)
{
	if (strcmp(s->status, "completed"))
		return "it is not complete";
	if (s->gib > t->disk.gib)
		return "its volume is larger than the disk";
	if (t->options->key && (!s->encrypted || strcmp(s->key, t->options->key)))
		return "it is not encrypted with the key that --encrypt names";
	if (!asked && !t->options->key && s->encrypted)
		return "it is encrypted, and --encrypt was not given";
	return "";
}

static int read_blocks(struct task *t, const struct block_record *near, struct error *err)
{
	const struct ebs_read read = {
		.aws = t->aws,
		.transfers = t->transfers,
		.snapshot = t->parent.snapshot,
		.near = near,
		.stall_s = t->options->stall_s,
	};

	log_info("what %s holds is not known here: it is read from EBS", t->parent.snapshot);
	return ebs_read(&read, &t->parent.index, err);
}

/* From the record beside the disk, or from EBS, with the newest record there is to go by. */
static int find_blocks(struct task *t, const char *snapshot, struct error *err)
{
	CLEANUP_BLOCK_RECORD struct block_record near = BLOCK_RECORD_INIT;
	const char *directory = journal_directory(t->journal), *region = aws_region(t->aws);
	bool found = false, is_near = false;
	int r = records_find(directory, region, snapshot, &t->parent, &found, err);

	if (r < 0 || found)
		return r;
	r = records_find(directory, region, NULL, &near, &is_near, err);
	if (r < 0)
		return r;
	(void)snprintf(t->parent.region, sizeof(t->parent.region), "%s", region);
	(void)snprintf(t->parent.snapshot, sizeof(t->parent.snapshot), "%s", snapshot);
	r = read_blocks(t, is_near ? &near : NULL, err);
	if (r < 0)
		return r;
	/* The next upload need not read it again. */
	return records_save(directory, &t->parent, err);
}

static int take_asked(struct task *t, const char *snapshot, struct error *err)
{
	CLEANUP_SNAPSHOT struct snapshot s = SNAPSHOT_INIT;
	const char *why;
	bool found = false;
	int r;

	if (!snapshot_id_ok(snapshot))
		return error_input(err, "--parent %s is no id of a snapshot", snapshot);
	r = ec2_snapshot(t->aws, snapshot, &s, &found, err);
	if (r == 0 && !found)
		return error_input(err, "--parent %s: there is no such snapshot in %s", snapshot, aws_region(t->aws));
	if (r < 0)
		return r;
	why = why_not(t, &s, true);
	return *why ? error_input(err, "--parent %s: %s", snapshot, why) : find_blocks(t, snapshot, err);
}

/* The last upload's, if it can be: otherwise all is sent, and nothing is wrong. */
static int take_last(struct task *t, struct error *err)
{
	CLEANUP_SNAPSHOT struct snapshot s = SNAPSHOT_INIT;
	CLEANUP_BLOCK_RECORD struct block_record last = BLOCK_RECORD_INIT;
	const char *why = "it is gone";
	bool known = false, found = false;
	int r = records_find(journal_directory(t->journal), aws_region(t->aws), NULL, &last, &known, err);

	if (r == 0 && known)
		r = ec2_snapshot(t->aws, last.snapshot, &s, &found, err);
	if (r < 0 || !known)
		return r;
	if (found)
		why = why_not(t, &s, false);
	if (*why) {
		log_info("the last upload's snapshot %s is no parent, %s: all blocks are sent", last.snapshot, why);
		return 0;
	}
	t->parent = last;
	last = (struct block_record) BLOCK_RECORD_INIT;
	return 0;
}

int task_choose_parent(struct task *t, struct error *err)
{
	if (t->options->full)
		return 0;
	return t->options->parent ? take_asked(t, t->options->parent, err) : take_last(t, err);
}

int task_take_parent(struct task *t, const char *snapshot, struct error *err)
{
	return *snapshot ? find_blocks(t, snapshot, err) : 0;
}
