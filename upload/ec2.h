/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_EC2_H
#define KILN_UPLOAD_EC2_H

#include <stdbool.h>
#include <stdint.h>

#include "aws.h"
#include "form.h"
#include "image_fields.h"

struct error;

/* EC2's part in an upload: what there is, and what becomes of it. Errors name the call. */

/* A call with its parameters, tried again as aws_query() does. *ret may be NULL. */
int ec2_call(struct aws *a, const char *action, const struct form *form, struct xml **ret, struct error *err);
/* One attempt, for what must not be done twice. */
int ec2_call_once(struct aws *a, const char *action, const struct form *form, struct xml **ret, struct error *err);

/* ---------------------------------------------------------------- snapshots */

struct snapshot {
	char *status;			/* "pending", "completed", "error", ... */
	char *reason;			/* why it is in error; "" */
	unsigned int progress;		/* percent */
	uint32_t gib;
	bool encrypted;
	char *key;			/* ARN of the KMS key; "" */
};
void snapshot_clear(struct snapshot *s);
#define CLEANUP_SNAPSHOT __attribute__((cleanup(snapshot_clear)))
#define SNAPSHOT_INIT { .status = NULL }

/* "snap-" and hex digits: what becomes a path may be nothing else. */
bool snapshot_id_ok(const char *id);
/* *ret_found is false, and *ret untouched, when there is no such snapshot. */
int ec2_snapshot(struct aws *a, const char *id, struct snapshot *ret, bool *ret_found, struct error *err);
/* One that is not there is deleted already. */
int ec2_delete_snapshot(struct aws *a, const char *id, struct error *err);

/* ---------------------------------------------------------------- images */

struct images {
	struct image *items;
	size_t count;
};
#define IMAGES_INIT { .items = NULL }
void images_free(struct images *images);
#define CLEANUP_IMAGES __attribute__((cleanup(images_free)))

/* Of this account, by a filter of DescribeImages ("name", "tag-key"), in order of id. */
int ec2_images(struct aws *a, const char *filter, const char *value, struct images *ret, struct error *err);
/* *ret_found as above. */
int ec2_image(struct aws *a, const char *id, struct image *ret, bool *ret_found, struct error *err);
/* By creationDate; images of one moment by id. */
void images_newest_first(struct images *images);
/* One that is not there is deregistered already. */
int ec2_deregister(struct aws *a, const char *id, struct error *err);

/* Waits between two looks at something: 1 s, then longer, up to 15 s. -EINTR after a signal. */
int ec2_pause(struct aws *a, unsigned int looks, struct error *err);

#endif
