/* SPDX-License-Identifier: Apache-2.0 */
#include "registration.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/clock.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/log.h"
#include "ec2.h"

#define GO_ON "; call again to go on from here"

static bool stalled(int64_t since, unsigned int stall_s)
{
	return clock_ms() - since >= (int64_t)stall_s * 1000;
}

/* ---------------------------------------------------------------- the snapshot */

static int judge_snapshot(const char *id, const struct snapshot *s, bool *ret_done, struct error *err)
{
	*ret_done = strcmp(s->status, "completed") == 0;
	if (strcmp(s->status, "error") == 0)
		return error_outside(err, "%s has failed at EBS%s%s: remove it with \"kiln-upload abort\", and upload again", id,
				     *s->reason ? ": " : "", s->reason);
	log_step_update(s->progress, 100, "percent");
	return 0;
}

int registration_wait_snapshot(struct aws *a, const char *snapshot, unsigned int stall_s, struct error *err)
{
	int64_t since = clock_ms();
	unsigned int progress = 0;
	bool found = false, done = false;
	int r = 0;

	for (unsigned int looks = 0;; looks++) {
		CLEANUP_SNAPSHOT struct snapshot s = SNAPSHOT_INIT;

		r = ec2_snapshot(a, snapshot, &s, &found, err);
		if (r == 0 && found)
			r = judge_snapshot(snapshot, &s, &done, err);
		if (r < 0 || done)
			return r;
		if (s.progress != progress)
			since = clock_ms();
		progress = s.progress;
		if (stalled(since, stall_s))
			return error_outside(err, "%s is not complete, and has stood at %u percent for %u seconds" GO_ON, snapshot,
					     progress, stall_s);
		r = ec2_pause(a, looks, err);
		if (r < 0)
			return r;
	}
}

/* ---------------------------------------------------------------- registering */

/* *ret_id stays NULL when nobody has the name. */
static int find_registered(struct aws *a, const struct image_request *q, char **ret_id, struct error *err)
{
	CLEANUP_IMAGES struct images images = IMAGES_INIT;
	int r = ec2_images(a, "name", q->name, &images, err);

	if (r < 0 || images.count == 0)
		return r;
	if (strcmp(images.items[0].snapshot, q->snapshot))
		return error_input(err, "the name \"%s\" is taken by %s: choose another with --name", q->name,
				   images.items[0].id);
	*ret_id = string_copy(images.items[0].id);
	return 0;
}

static int ask_once(struct aws *a, const struct image_request *q, char **ret_id, struct error *err)
{
	CLEANUP_FORM struct form form = FORM_INIT;
	CLEANUP_XML struct xml *answer = NULL;
	const char *id;
	int r;

	image_register_form(q, &form);
	r = ec2_call_once(a, "RegisterImage", &form, &answer, err);
	if (r < 0)
		return r;
	id = xml_text(xml_root(answer), "imageId");
	if (!id || !*id)
		return error_outside(err, "ec2:RegisterImage: the answer names no image");
	*ret_id = string_copy(id);
	return 0;
}

/* Was it perhaps done, or could it be next time? */
static bool may_be_done(const struct aws *a)
{
	return aws_last_outcome(a) != AWS_REFUSED || strcmp(aws_last_code(a), "InvalidAMIName.Duplicate") == 0;
}

int registration_make(struct aws *a, const struct image_request *q, unsigned int stall_s, char **ret_id,
		      struct error *err)
{
	int64_t since = clock_ms();
	struct error why;
	int r;

	for (unsigned int looks = 0;; looks++) {
		why = (struct error)ERROR_INIT;
		r = ask_once(a, q, ret_id, &why);
		if (r == 0)
			return 0;
		if (r == -EINTR || !may_be_done(a))
			break;
		r = find_registered(a, q, ret_id, err);
		if (r < 0 || *ret_id)
			return r;
		r = -EIO;
		if (stalled(since, stall_s))
			break;
		log_debug("again: %s", why.message);
		if (ec2_pause(a, looks, err) < 0)
			return -EINTR;
	}
	*err = why;
	return r;
}

/* ---------------------------------------------------------------- the image */

static int judge_image(const struct image *i, bool *ret_done, struct error *err)
{
	*ret_done = strcmp(i->state, "available") == 0;
	if (*ret_done || strcmp(i->state, "pending") == 0 || strcmp(i->state, "transient") == 0)
		return 0;
	return error_outside(err, "%s is \"%s\" at EC2%s%s: \"kiln-upload deregister %s\" removes it and its snapshot", i->id,
			     i->state, *i->reason ? ": " : "", i->reason, i->id);
}

static int wait_available(struct aws *a, const char *id, unsigned int stall_s, struct image *ret, struct error *err)
{
	int64_t since = clock_ms();
	bool found = false, done = false;

	for (unsigned int looks = 0;; looks++) {
		int r;

		image_clear(ret);
		r = ec2_image(a, id, ret, &found, err);
		if (r == 0 && found)
			r = judge_image(ret, &done, err);
		if (r < 0 || done)
			return r;
		if (stalled(since, stall_s))
			return error_outside(err, "%s is not available after %u seconds" GO_ON, id, stall_s);
		r = ec2_pause(a, looks, err);
		if (r < 0)
			return r;
	}
}

/* DescribeImages does not show it. */
static int check_uefi_data(struct aws *a, const char *id, const char *uefi_data, struct error *err)
{
	CLEANUP_FORM struct form form = FORM_INIT;
	CLEANUP_XML struct xml *answer = NULL;
	const char *value;
	int r;

	form_add(&form, id, "ImageId");
	form_add(&form, "uefiData", "Attribute");
	r = ec2_call(a, "DescribeImageAttribute", &form, &answer, err);
	if (r < 0)
		return r;
	value = xml_text(xml_root(answer), "uefiData/value");
	if (!value || strcmp(value, uefi_data))
		return error_outside(err, "%s is not as it was asked for: EC2 has other UefiData", id);
	return 0;
}

int registration_wait_image(struct aws *a, const char *id, const struct image_request *q, unsigned int stall_s,
			    struct error *err)
{
	CLEANUP_IMAGE struct image image = { .id = NULL };
	int r = wait_available(a, id, stall_s, &image, err);

	if (r == 0)
		r = image_check(&image, q, err);
	if (r == 0 && q->uefi_data)
		r = check_uefi_data(a, id, q->uefi_data, err);
	return r;
}

/* ---------------------------------------------------------------- copies */

static int ask_for_copy(struct aws *to, const char *id, const char *from_region, const struct image_request *q,
			const char *token, char **ret_id, struct error *err)
{
	CLEANUP_FORM struct form form = FORM_INIT;
	CLEANUP_XML struct xml *answer = NULL;
	const char *copy;
	int r;

	form_add(&form, id, "SourceImageId");
	form_add(&form, from_region, "SourceRegion");
	form_add(&form, q->name, "Name");
	form_add(&form, q->description, "Description");
	form_add(&form, "true", "CopyImageTags");
	form_add(&form, token, "ClientToken");
	r = ec2_call(to, "CopyImage", &form, &answer, err);
	if (r < 0)
		return r;
	copy = xml_text(xml_root(answer), "imageId");
	if (!copy || !*copy)
		return error_outside(err, "ec2:CopyImage: the answer names no image");
	*ret_id = string_copy(copy);
	return 0;
}

int registration_copy(struct aws *to, const char *id, const char *from_region, const struct image_request *q,
		      const char *token, unsigned int stall_s, char **ret_id, char **ret_snapshot, struct error *err)
{
	CLEANUP_IMAGE struct image image = { .id = NULL };
	CLEANUP_FREE char *copy = NULL;
	struct image_request like = *q;
	int r = ask_for_copy(to, id, from_region, q, token, &copy, err);

	if (r == 0)
		r = wait_available(to, copy, stall_s, &image, err);
	if (r < 0)
		return r;
	like.snapshot = image.snapshot;	/* it has one of its own */
	r = image_check(&image, &like, err);
	if (r == 0 && q->uefi_data)
		r = check_uefi_data(to, copy, q->uefi_data, err);
	if (r < 0)
		return r;
	*ret_id = TAKE_PTR(copy);
	*ret_snapshot = TAKE_PTR(image.snapshot);
	return 0;
}
