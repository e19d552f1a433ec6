/* SPDX-License-Identifier: Apache-2.0 */
#include "ec2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/log.h"
#include "../factory/model/memory.h"
#include "../factory/base/clock.h"

#define EC2_VERSION "2016-11-15"
#define ID_MAX 32
#define PAUSE_FIRST_MS 1000
#define PAUSE_MOST_MS 15000
#define STEP_MS 250

static void add_action(const char *action, const struct form *form, struct form *ret)
{
	form_add(ret, action, "Action");
	for (size_t i = 0; i < form->count; i++)
		form_add(ret, form->pairs[i].value, "%s", form->pairs[i].name);
}

int ec2_call(struct aws *a, const char *action, const struct form *form, struct xml **ret, struct error *err)
{
	CLEANUP_XML struct xml *answer = NULL;
	CLEANUP_FORM struct form whole = FORM_INIT;
	int r;

	add_action(action, form, &whole);
	r = aws_query(a, "ec2", EC2_VERSION, whole.pairs, whole.count, &answer, err);
	if (r == 0 && ret)
		*ret = TAKE_PTR(answer);
	return r;
}

int ec2_call_once(struct aws *a, const char *action, const struct form *form, struct xml **ret, struct error *err)
{
	CLEANUP_FORM struct form whole = FORM_INIT;

	add_action(action, form, &whole);
	return aws_query_once(a, "ec2", EC2_VERSION, whole.pairs, whole.count, ret, err);
}

int ec2_pause(struct aws *a, unsigned int looks, struct error *err)
{
	int64_t wait = PAUSE_FIRST_MS, until;
	int r = 0;

	for (; looks > 0 && wait < PAUSE_MOST_MS; looks--)
		wait += wait / 2;
	until = clock_ms() + (wait < PAUSE_MOST_MS ? wait : PAUSE_MOST_MS);
	while (r == 0 && clock_ms() < until) {
		r = aws_step(a, STEP_MS, err);
		log_step_tick();
	}
	return r;
}

/* ---------------------------------------------------------------- snapshots */

bool snapshot_id_ok(const char *id)
{
	size_t len = strlen(id);

	return strncmp(id, "snap-", 5) == 0 && len > 5 && len < ID_MAX &&
	       strspn(id + 5, "0123456789abcdef") == len - 5;
}

void snapshot_clear(struct snapshot *s)
{
	free(s->status);
	free(s->reason);
	free(s->key);
	*s = (struct snapshot) SNAPSHOT_INIT;
}

static char *text_of(const struct xml_node *item, const char *path)
{
	const char *text = xml_text(item, path);

	return string_copy(text ? text : "");
}

static unsigned long number_of(const struct xml_node *item, const char *path)
{
	const char *text = xml_text(item, path);

	return text ? strtoul(text, NULL, 10) : 0;	/* "42%" */
}

static void take_snapshot(const struct xml_node *item, struct snapshot *ret)
{
	const char *encrypted = xml_text(item, "encrypted");

	*ret = (struct snapshot){
		.status = text_of(item, "status"),
		.reason = text_of(item, "statusMessage"),
		.progress = (unsigned int)number_of(item, "progress"),
		.gib = (uint32_t)number_of(item, "volumeSize"),
		.encrypted = encrypted && strcmp(encrypted, "true") == 0,
		.key = text_of(item, "kmsKeyId"),
	};
}

/* A failed call that says "there is none" has said what was asked. */
static bool says_none(const struct aws *a, const char *code, struct error *err)
{
	if (strcmp(aws_last_code(a), code))
		return false;
	*err = (struct error)ERROR_INIT;
	return true;
}

/* One thing by its id. *ret_item is NULL when there is none; it lives as long as *ret. A page may be empty, and yet another
 * follow. */
static int describe_one(struct aws *a, const char *action, const char *parameter, const char *id, const char *path,
			struct xml **ret, const struct xml_node **ret_item, struct error *err)
{
	CLEANUP_FREE char *token = NULL;
	int r;

	do {
		CLEANUP_FORM struct form form = FORM_INIT;
		const char *next;

		form_add(&form, id, "%s", parameter);
		if (token)
			form_add(&form, token, "NextToken");
		xml_freep(ret);
		*ret = NULL;
		r = ec2_call(a, action, &form, ret, err);
		if (r < 0)
			return r;
		*ret_item = xml_find(xml_root(*ret), path);
		next = xml_text(xml_root(*ret), "nextToken");
		free(token);
		token = next && *next ? string_copy(next) : NULL;
	} while (!*ret_item && token);
	return 0;
}

int ec2_snapshot(struct aws *a, const char *id, struct snapshot *ret, bool *ret_found, struct error *err)
{
	CLEANUP_XML struct xml *answer = NULL;
	const struct xml_node *item = NULL;
	int r = describe_one(a, "DescribeSnapshots", "SnapshotId.1", id, "snapshotSet/item", &answer, &item, err);

	*ret_found = false;
	if (r < 0)
		return says_none(a, "InvalidSnapshot.NotFound", err) ? 0 : r;
	if (!item)
		return 0;
	take_snapshot(item, ret);
	*ret_found = true;
	return 0;
}

int ec2_delete_snapshot(struct aws *a, const char *id, struct error *err)
{
	CLEANUP_FORM struct form form = FORM_INIT;
	int r;

	form_add(&form, id, "SnapshotId");
	r = ec2_call(a, "DeleteSnapshot", &form, NULL, err);
	return r < 0 && says_none(a, "InvalidSnapshot.NotFound", err) ? 0 : r;
}

/* ---------------------------------------------------------------- images */

void images_free(struct images *images)
{
	for (size_t i = 0; i < images->count; i++)
		image_clear(&images->items[i]);
	free(images->items);
	*images = (struct images) IMAGES_INIT;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(((const struct image *)a)->id, ((const struct image *)b)->id);
}

/* RFC 3339 in UTC, so the texts compare as the times do. */
static int compare_times(const void *a, const void *b)
{
	int order = strcmp(((const struct image *)b)->created, ((const struct image *)a)->created);

	return order ? order : compare_ids(a, b);
}

void images_newest_first(struct images *images)
{
	if (images->count)
		qsort(images->items, images->count, sizeof(*images->items), compare_times);
}

static void take_images(const struct xml *answer, struct images *ret)
{
	for (const struct xml_node *item = xml_find(xml_root(answer), "imagesSet/item"); item; item = xml_next(item)) {
		struct image *image = memory_append(&ret->items, ret->count, sizeof(*image));

		image_parse(item, image);
		ret->count++;
	}
}

/* *token is malloc'ed: that of the next page, NULL after the last. */
static int describe_page(struct aws *a, const char *filter, const char *value, char **token, struct images *ret,
			 struct error *err)
{
	CLEANUP_FORM struct form form = FORM_INIT;
	CLEANUP_XML struct xml *answer = NULL;
	const char *next;
	int r;

	form_add(&form, "self", "Owner.1");
	form_add(&form, filter, "Filter.1.Name");
	form_add(&form, value, "Filter.1.Value.1");
	if (*token)
		form_add(&form, *token, "NextToken");
	r = ec2_call(a, "DescribeImages", &form, &answer, err);
	if (r < 0)
		return r;
	take_images(answer, ret);
	next = xml_text(xml_root(answer), "nextToken");
	free(*token);
	*token = next && *next ? string_copy(next) : NULL;
	return 0;
}

int ec2_images(struct aws *a, const char *filter, const char *value, struct images *ret, struct error *err)
{
	CLEANUP_FREE char *token = NULL;
	int r;

	do
		r = describe_page(a, filter, value, &token, ret, err);
	while (r == 0 && token);
	if (ret->count)
		qsort(ret->items, ret->count, sizeof(*ret->items), compare_ids);
	return r;
}

int ec2_image(struct aws *a, const char *id, struct image *ret, bool *ret_found, struct error *err)
{
	CLEANUP_XML struct xml *answer = NULL;
	const struct xml_node *item = NULL;
	int r = describe_one(a, "DescribeImages", "ImageId.1", id, "imagesSet/item", &answer, &item, err);

	*ret_found = false;
	if (r < 0)
		return says_none(a, "InvalidAMIID.NotFound", err) ? 0 : r;
	if (!item)
		return 0;
	image_parse(item, ret);
	*ret_found = true;
	return 0;
}

int ec2_deregister(struct aws *a, const char *id, struct error *err)
{
	CLEANUP_FORM struct form form = FORM_INIT;
	int r;

	form_add(&form, id, "ImageId");
	r = ec2_call(a, "DeregisterImage", &form, NULL, err);
	if (r < 0 && (says_none(a, "InvalidAMIID.Unavailable", err) || says_none(a, "InvalidAMIID.NotFound", err)))
		return 0;
	return r;
}
