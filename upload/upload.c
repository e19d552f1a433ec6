/* SPDX-License-Identifier: Apache-2.0 */
#include "upload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/hex.h"
#include "../factory/base/io.h"
#include "../factory/base/log.h"
#include "../factory/model/manifest.h"
#include "../factory/model/memory.h"
#include "../factory/model/uploads.h"
#include "ebs.h"
#include "ec2.h"
#include "journal.h"
#include "records.h"
#include "registration.h"
#include "results.h"
#include "share.h"
#include "task.h"
#include "transfers.h"

#define TOKEN_BYTES 16
/* Of the data digest, in a name: enough to tell an image's builds apart. */
#define NAME_DIGITS 12

/* Runs a part as a step of the progress display. */
static int step(struct task *t, unsigned int number, const char *title, int (*part)(struct task *t, struct error *err),
		struct error *err)
{
	int r;

	log_step_begin(number, STEPS, title);
	r = part(t, err);
	log_step_end(r < 0 ? "failed" : "done");
	return r;
}

/* ---------------------------------------------------------------- what is asked for */

static int check_options(const struct upload_options *o, struct error *err)
{
	if (o->full && o->parent)
		return error_input(err, "--full and --parent are opposites");
	if (o->key && strncmp(o->key, "arn:", 4))
		return error_input(err, "--encrypt %s: EBS wants the ARN of a KMS key", o->key);
	if (o->key && o->everybody)
		return error_input(err, "--public: an encrypted image cannot be for everybody");
	for (unsigned int i = 0; i < o->copies.count; i++)
		if (strlen(o->copies.items[i]) >= BLOCK_NAME_SIZE)
			return error_input(err, "--copy-to %s: no region has such a name", o->copies.items[i]);
	return share_check(&o->shares, err);
}

static int check_disk(const struct task *t, struct error *err)
{
	const struct upload_options *o = t->options;

	if (o->everybody && t->disk.secure_boot)
		return error_input(err, "--public: %s was built with keys, and an image that carries them is not for everybody",
				   t->disk.path);
	if (o->gib && o->gib < t->disk.gib)
		return error_input(err, "--size %u: the disk has %" PRIu32 " GiB", o->gib, t->disk.gib);
	if (!image_architecture(t->disk.manifest->arch))
		return error_input(err, "%s is for %s: EC2 has no such machines", t->disk.path, t->disk.manifest->arch);
	if (o->description && strlen(o->description) > IMAGE_DESCRIPTION_MAX)
		return error_input(err, "--description: EC2 takes up to %u bytes", IMAGE_DESCRIPTION_MAX);
	return image_check_name(t->name, err);
}

/* The same disk gets the same name, so that it is not registered twice. */
static void make_texts(struct task *t)
{
	const struct manifest *m = t->disk.manifest;
	const struct upload_options *o = t->options;

	t->name = o->name ? string_copy(o->name) :
		  string_printf("%s-%s-%.*s", m->name, m->version, NAME_DIGITS, t->disk.data_sha256);
	t->description = o->description ? string_copy(o->description) :
			 string_printf("%.100s %.40s, disk %.*s", m->name, m->version, NAME_DIGITS, t->disk.data_sha256);
}

static int read_disk(struct task *t, struct error *err)
{
	int r = disk_open(t->disk.path, &t->options->disk, &t->disk, err);

	if (r < 0)
		return r;
	if (!t->disk.proven)
		log_warning("%s is uploaded without a boot proof; its tags and the manifest say so", t->disk.path);
	make_texts(t);
	r = check_disk(t, err);
	return r < 0 ? r : tags_make(t->name, t->disk.manifest->name, t->disk.data_sha256,
				     t->disk.proven ? "yes" : "no", &t->options->tags, &t->tags, err);
}

static int open_journal(struct task *t, struct error *err)
{
	CLEANUP_FREE char *directory = path_directory(t->disk.path);
	const struct journal_state *s;
	int r = journal_open(directory, aws_region(t->aws), &t->journal, err);

	if (r < 0)
		return r;
	s = journal_state(t->journal);
	if (!s->disk || strcmp(s->data_sha256, t->disk.data_sha256) == 0)
		return 0;
	return error_input(err, "the upload of another disk (%s, data digest %.12s) to %s was begun here and has not ended: end it, or remove it with \"kiln-upload abort %s\"",
			   s->disk, s->data_sha256, aws_region(t->aws), t->disk.path);
}

/* ---------------------------------------------------------------- beginning, or going on */

/* An image of this name: of this disk, and there is nothing to send; or of another, and there is no point in it. */
static int look_for_image(struct task *t, struct error *err)
{
	CLEANUP_IMAGES struct images images = IMAGES_INIT;
	const struct image *i;
	int r = ec2_images(t->aws, "name", t->name, &images, err);

	if (r < 0 || images.count == 0)
		return r;
	i = &images.items[0];
	if (strcmp(i->disk_tag, t->disk.data_sha256) || !snapshot_id_ok(i->snapshot))
		return error_input(err, "the name \"%s\" is taken by %s, which is not of this disk: choose another with --name",
				   t->name, i->id);
	if (journal_state(t->journal)->snapshot && strcmp(journal_state(t->journal)->snapshot, i->snapshot))
		return error_input(err, "%s is there already, and not of %s, which was begun here: remove that with \"kiln-upload abort %s\"",
				   i->id, journal_state(t->journal)->snapshot, t->disk.path);
	t->image = string_copy(i->id);
	t->snapshot = string_copy(i->snapshot);
	return 0;
}

static int make_body(const struct task *t, const char *token, const char *parent, struct buf *ret, struct error *err)
{
	const struct ebs_start start = {
		.gib = t->disk.gib,
		.parent = *parent ? parent : NULL,
		.description = t->description,
		.token = token,
		.key = t->options->key,
		.tags = &t->tags,
	};

	return ebs_start_body(&start, ret, err);
}

static int make_token(char ret[static 2 * TOKEN_BYTES + 1], struct error *err)
{
	uint8_t bytes[TOKEN_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return error_system(err, errno, "cannot get random bytes");
	hex_encode(bytes, sizeof(bytes), ret);
	return 0;
}

static int begin_new(struct task *t, struct error *err)
{
	CLEANUP_BUF struct buf body = BUF_INIT(SIZE_MAX);
	CLEANUP_FREE char *path = string_copy(t->disk.path);
	char token[2 * TOKEN_BYTES + 1];
	const char *slash = strrchr(path, '/');
	int r = make_token(token, err);

	if (r == 0)
		r = make_body(t, token, t->parent.snapshot, &body, err);
	return r < 0 ? r : journal_begin(t->journal, slash ? slash + 1 : path, t->disk.data_sha256, buf_text(&body), err);
}

/* The same snapshot again needs the same request, to the letter. */
static int check_request(struct task *t, struct error *err)
{
	CLEANUP_BUF struct buf body = BUF_INIT(SIZE_MAX);
	CLEANUP_FREE char *token = NULL, *parent = NULL;
	const char *before = journal_state(t->journal)->request;
	int r = ebs_start_read(before, &token, &parent, err);

	if (r == 0)
		r = make_body(t, token, parent, &body, err);
	if (r < 0)
		return r;
	if (strcmp(buf_text(&body), before) || (t->options->parent && strcmp(t->options->parent, parent)) ||
	    (t->options->full && *parent))
		return error_input(err, "this upload was begun with other options: give the same, or remove it with \"kiln-upload abort %s\"",
				   t->disk.path);
	return task_take_parent(t, parent, err);
}

static int find_parent(struct task *t, struct error *err)
{
	if (journal_state(t->journal)->disk)
		return check_request(t, err);
	return task_choose_parent(t, err);
}

/* Blocks that the journal has and the plan has not are in the snapshot all the same, and count. */
static void make_plan(struct task *t)
{
	block_index_difference(&t->disk.index, task_has_parent(t) ? &t->parent.index : NULL, &t->plan);
	block_index_cover(&t->plan, &journal_state(t->journal)->sent, &t->disk.index);
}

/* A request that is refused as such is not worth keeping: the next one may be better. */
static int start_new(struct task *t, struct error *err)
{
	struct error ignored = ERROR_INIT;
	bool nothing = false;
	int r = ebs_start(t->aws, journal_state(t->journal)->request, &t->snapshot, &nothing, err);

	if (nothing)
		(void)journal_remove(t->journal, &ignored);	/* the refusal is what counts */
	return r < 0 ? r : journal_snapshot(t->journal, t->snapshot, err);
}

static int start(struct task *t, struct error *err)
{
	const struct journal_state *s = journal_state(t->journal);

	if (!s->snapshot)
		return start_new(t, err);
	if (!snapshot_id_ok(s->snapshot))
		return error_input(err, "%s: \"%s\" is no id of a snapshot", journal_path(t->journal), s->snapshot);
	t->snapshot = string_copy(s->snapshot);
	log_info("going on with %s: %zu of %zu blocks are there", s->snapshot, s->sent.count, t->plan.count);
	return 0;
}

/* ---------------------------------------------------------------- sending */

static int put(struct task *t, struct error *err)
{
	const struct ebs_put ebs = {
		.aws = t->aws,
		.transfers = t->transfers,
		.disk = &t->disk,
		.snapshot = t->snapshot,
		.plan = &t->plan,
		.journal = t->journal,
		.stall_s = t->options->stall_s,
	};

	return ebs_put(&ebs, err);
}

/* A service that lost a block it had confirmed gets all of them once more. */
static int complete(struct task *t, struct error *err)
{
	struct error why = ERROR_INIT;
	bool again = false;
	int r = ebs_complete(t->aws, t->snapshot, &t->plan, &again, &why);

	if (r < 0 && again) {
		log_warning("%s: all blocks are sent once more", why.message);
		r = journal_forget_blocks(t->journal, err);
		if (r == 0)
			r = put(t, err);
		return r < 0 ? r : ebs_complete(t->aws, t->snapshot, &t->plan, &again, err);
	}
	if (r < 0)
		*err = why;
	return r;
}

/* Was it completed, and the answer lost with the process? */
static int is_complete(struct task *t, bool *ret, struct error *err)
{
	CLEANUP_SNAPSHOT struct snapshot s = SNAPSHOT_INIT;
	bool found = false;
	int r = ec2_snapshot(t->aws, t->snapshot, &s, &found, err);

	*ret = r == 0 && found && strcmp(s.status, "completed") == 0;
	if (r == 0 && found && strcmp(s.status, "error") == 0)
		return error_outside(err, "%s has failed at EBS%s%s: remove it with \"kiln-upload abort %s\", and upload again",
				     t->snapshot, *s.reason ? ": " : "", s.reason, t->disk.path);
	return r;
}

static int send_blocks(struct task *t, struct error *err)
{
	bool resumed = journal_state(t->journal)->snapshot, done = false;
	int r = start(t, err);

	if (r == 0 && resumed)
		r = is_complete(t, &done, err);
	if (r == 0 && !done)
		r = put(t, err);
	if (r == 0 && !done)
		r = complete(t, err);
	return r < 0 ? r : journal_complete(t->journal, err);
}

static int save_record(struct task *t, struct error *err)
{
	struct block_record record = { .index = t->disk.index };
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);	/* always there on Linux */
	record.completed = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	(void)snprintf(record.region, sizeof(record.region), "%s", aws_region(t->aws));
	(void)snprintf(record.snapshot, sizeof(record.snapshot), "%s", t->snapshot);
	return records_save(journal_directory(t->journal), &record, err);
}

static int wait_for_snapshot(struct task *t, struct error *err)
{
	int r = registration_wait_snapshot(t->aws, t->snapshot, t->options->stall_s, err);

	return r < 0 ? r : save_record(t, err);
}

/* ---------------------------------------------------------------- registering */

static int make_image(struct task *t, struct error *err)
{
	const struct journal_state *s = journal_state(t->journal);
	struct image_request q;
	int r;

	if (t->image)
		return 0;
	if (s->image) {
		t->image = string_copy(s->image);
		return 0;
	}
	task_image_request(t, &q);
	r = registration_make(t->aws, &q, t->options->stall_s, &t->image, err);
	return r < 0 ? r : journal_image(t->journal, t->image, err);
}

static int register_image(struct task *t, struct error *err)
{
	struct image_request q;
	int r = make_image(t, err);

	task_image_request(t, &q);
	if (r == 0)
		r = registration_wait_image(t->aws, t->image, &q, t->options->stall_s, err);
	return r < 0 ? r : share_image(t->aws, t->image, t->snapshot, &t->options->shares, t->options->everybody, err);
}

/* ---------------------------------------------------------------- copies */

struct uploaded {
	struct upload items[1 + ARGUMENT_LIST_MAX];
	size_t count;
};

static void note_upload(struct task *t, struct uploaded *u, const char *region, char *image, char *snapshot)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);	/* always there on Linux */
	u->items[u->count++] = (struct upload){
		.region = (char *)(uintptr_t)region,
		.image = image,
		.snapshot = snapshot,
		.name = t->name,
		.time = (int64_t)now.tv_sec,
		.proven = t->disk.proven,
	};
}

/* The image's own id: the same copy for each call, and another for an image made anew. */
static int copy_to(struct task *t, const char *region, char **ret_image, char **ret_snapshot, struct error *err)
{
	CLEANUP_AWS struct aws *to = NULL;
	CLEANUP_FREE char *token = string_printf("%.21s-%s", t->image, region);
	const struct aws_options options = { .region = region, .profile = t->options->aws.profile };
	struct image_request q;
	int r = aws_open(&options, &to, err);

	task_image_request(t, &q);
	if (r == 0)
		r = registration_copy(to, t->image, aws_region(t->aws), &q, token, t->options->stall_s, ret_image,
				      ret_snapshot, err);
	if (r == 0)
		r = share_image(to, *ret_image, *ret_snapshot, &t->options->shares, t->options->everybody, err);
	return r < 0 ? error_wrap(err, "copy to %s", region) : 0;
}

static void free_copies(struct uploaded *u)
{
	for (size_t i = 1; i < u->count; i++) {
		free(u->items[i].image);
		free(u->items[i].snapshot);
	}
}

static int make_copies(struct task *t, struct uploaded *u, struct error *err)
{
	const struct argument_list *regions = &t->options->copies;
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < regions->count; i++) {
		char *image = NULL, *snapshot = NULL;

		log_info("copying %s to %s", t->image, regions->items[i]);
		r = copy_to(t, regions->items[i], &image, &snapshot, err);
		if (r == 0) {
			note_upload(t, u, regions->items[i], image, snapshot);
		} else {
			free(image);
			free(snapshot);
		}
	}
	return r;
}

/* A copy that fails takes away nothing from the image that is there. */
static int write_results(struct task *t, struct uploaded *u, struct error *err)
{
	int r;

	note_upload(t, u, aws_region(t->aws), t->image, t->snapshot);
	r = results_write(t->disk.manifest_path, u->items, u->count, err);
	if (r < 0 || t->options->copies.count == 0)
		return r;
	r = make_copies(t, u, err);
	return r < 0 ? r : results_write(t->disk.manifest_path, u->items, u->count, err);
}

static int finish(struct task *t, struct error *err)
{
	struct uploaded u = { .count = 0 };
	int r = write_results(t, &u, err);

	for (size_t i = 0; r == 0 && i < u.count; i++)
		printf("%s  %s  %s\n", u.items[i].region, u.items[i].image, u.items[i].snapshot);
	free_copies(&u);
	return r < 0 ? r : journal_remove(t->journal, err);
}

/* ---------------------------------------------------------------- all of it */

static int prepare(struct task *t, struct error *err)
{
	int r = check_options(t->options, err);

	if (r == 0)
		r = step(t, STEP_READ, "reading the disk", read_disk, err);
	if (r == 0)
		r = aws_open(&t->options->aws, &t->aws, err);
	if (r == 0)
		r = open_journal(t, err);
	if (r == 0 && !journal_state(t->journal)->image)
		r = look_for_image(t, err);
	return r;
}

static int make_snapshot(struct task *t, struct error *err)
{
	int r = 0;

	if (!journal_state(t->journal)->disk)
		r = begin_new(t, err);
	if (r == 0 && !journal_state(t->journal)->complete)
		r = step(t, STEP_SEND, "sending blocks", send_blocks, err);
	else if (r == 0)
		r = start(t, err);
	return r < 0 ? r : step(t, STEP_WAIT, "waiting for the snapshot", wait_for_snapshot, err);
}

static int run(struct task *t, struct error *err)
{
	int r = prepare(t, err);

	if (r == 0 && t->image)
		log_info("%s is there already: %s", t->name, t->image);
	if (r == 0 && !t->image)
		r = step(t, STEP_PARENT, "finding out what is there", find_parent, err);
	if (r < 0)
		return r;
	make_plan(t);
	if (t->options->dry_run)
		return task_dry_run(t, err);
	if (!t->image)
		r = make_snapshot(t, err);
	if (r == 0)
		r = step(t, STEP_REGISTER, "registering the image", register_image, err);
	return r < 0 ? r : finish(t, err);
}

int upload_run(const char *path, const struct upload_options *options, struct error *err)
{
	CLEANUP_TASK struct task t = { .options = options, .disk = DISK_INIT };

	t.disk.path = path;
	t.transfers = transfers_new(options->connections);
	return run(&t, err);
}
