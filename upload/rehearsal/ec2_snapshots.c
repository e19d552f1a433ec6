/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../../factory/base/error.h"
#include "clock.h"
#include "images.h"
#include "listing.h"
#include "operations.h"
#include "snapshots.h"
#include "tags.h"

/* EC2's snapshots and tags: Amazon EC2 API Reference, 2016-11-15. */

static const char *filter_value(const struct object *o, const char *filter)
{
	static const char *const names[][2] = {
		{ "status", "State" }, { "description", "Description" }, { "owner-id", "Owner" },
		{ "volume-size", "VolumeSize" }, { "storage-tier", "Tier" },
	};

	if (strcmp(filter, "snapshot-id") == 0)
		return o->id ? o->id : "";
	if (strcmp(filter, "encrypted") == 0)
		return *object_get(o, "Encrypted") ? "true" : "false";
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(filter, names[i][0]) == 0)
			return object_get(o, names[i][1]);
	return NULL;
}

static void put_state(struct call *c, struct buf *b, const struct object *o)
{
	const char *state = object_get(o, "State");
	bool completed = strcmp(state, "completed") == 0;

	if (c->fault.kind == FAULT_PENDING && completed) {
		completed = false;
		state = "pending";
	}
	markup_leaf(b, "status", state);
	markup_leaf(b, "progress", completed ? "100%" : "42%");
	if (strcmp(state, "error") == 0)
		markup_leaf(b, "statusMessage", "The rehearsal was told to let it fail");
}

static void put_snapshot(struct call *c, struct buf *b, const struct object *o)
{
	char time[CLOCK_TEXT_SIZE];

	clock_iso((int64_t)object_number(o, "Started"), time);
	markup_leaf(b, "snapshotId", o->id);
	markup_leaf(b, "volumeId", "vol-ffffffff");
	put_state(c, b, o);
	markup_leaf(b, "startTime", time);
	markup_leaf(b, "ownerId", object_get(o, "Owner"));
	markup_number(b, "volumeSize", object_number(o, "VolumeSize"));
	markup_leaf(b, "description", object_get(o, "Description"));
	markup_bool(b, "encrypted", *object_get(o, "Encrypted"));
	if (*object_get(o, "KmsKeyArn"))
		markup_leaf(b, "kmsKeyId", object_get(o, "KmsKeyArn"));
	markup_leaf(b, "storageTier", "standard");
	tags_put(b, o);
}

static void describe_snapshots(struct call *c)
{
	static const struct listing listing = {
		.prefix = "snap", .id = "SnapshotId", .set = "snapshotSet",
		.not_found = "InvalidSnapshot.NotFound", .malformed = "InvalidSnapshotID.Malformed",
		.value = filter_value, .put = put_snapshot,
	};

	listing_answer(c, &listing);
}

static void delete_snapshot(struct call *c)
{
	const char *id = call_needs(c, "SnapshotId");
	struct object *o = id ? snapshots_find(c, id) : NULL;
	const struct object *image = o ? images_using(c, o->id) : NULL;

	if (!id)
		return;
	if (!o)
		call_error(c, 400, "InvalidSnapshot.NotFound", NULL, "The snapshot '%s' does not exist.", id);
	else if (image)
		call_error(c, 400, "InvalidSnapshot.InUse", NULL, "The snapshot %s is currently in use by %s", id, image->id);
	else if (snapshots_delete(c, o))
		call_done(c);
}

/* ---------------------------------------------------------------- tags */

static bool check_resources(struct call *c)
{
	const char *id;

	for (unsigned int i = 1; (id = call_parameterf(c, "ResourceId.%u", i)); i++) {
		const struct object *o = objects_find(&c->r->objects, c->region, id);

		if (o && !object_gone(o))
			continue;
		call_error(c, 400, strncmp(id, "ami-", 4) == 0 ? "InvalidAMIID.NotFound" : "InvalidSnapshot.NotFound", NULL,
			   "The ID '%s' does not exist", id);
		return false;
	}
	return call_needs(c, "ResourceId.1");
}

static bool check_new_tags(struct call *c)
{
	const char *key;

	for (unsigned int i = 1; (key = call_parameterf(c, "Tag.%u.Key", i)); i++)
		if (!tags_sound(c, key, call_parameterf(c, "Tag.%u.Value", i)))
			return false;
	return call_needs(c, "Tag.1.Key");
}

static void set_tags(const struct call *c, struct object *o)
{
	const char *key;

	for (unsigned int i = 1; (key = call_parameterf(c, "Tag.%u.Key", i)); i++)
		tags_set(o, key, call_parameterf(c, "Tag.%u.Value", i));
}

static void create_tags(struct call *c)
{
	struct error err = ERROR_INIT;
	const char *id;
	int r = 0;

	if (!check_resources(c) || !check_new_tags(c))
		return;
	for (unsigned int i = 1; r == 0 && (id = call_parameterf(c, "ResourceId.%u", i)); i++) {
		struct object *o = objects_find(&c->r->objects, c->region, id);

		set_tags(c, o);
		r = object_save(o, &err);
	}
	if (r < 0)
		call_failed(c, &err);
	else
		call_done(c);
}

const struct operation ec2_snapshot_operations[] = {
	{ .name = "DescribeSnapshots", .service = SERVICE_EC2, .subject = "SnapshotId.1", .run = describe_snapshots,
	  .parameters = (const char *const[]){ "SnapshotId.#", "RestorableBy.#", LISTING_PARAMETERS, NULL } },
	{ .name = "DeleteSnapshot", .service = SERVICE_EC2, .subject = "SnapshotId", .run = delete_snapshot,
	  .parameters = (const char *const[]){ "SnapshotId", "DryRun", NULL } },
	{ .name = "CreateTags", .service = SERVICE_EC2, .subject = "ResourceId.1", .run = create_tags,
	  .parameters = (const char *const[]){ "ResourceId.#", "Tag.#.Key", "Tag.#.Value", "DryRun", NULL } },
	{ .name = NULL },
};
