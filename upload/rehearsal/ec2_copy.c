/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/io.h"
#include "images.h"
#include "operations.h"
#include "snapshots.h"
#include "tags.h"

/* Copies between regions. They are asked for where the copy is to be; its blocks are those of the source. */

static const struct object *find_source(struct call *c, const char *prefix, const char *id, const char *region)
{
	const struct object *o = objects_find(&c->r->objects, region, id);

	return o && object_is(o, prefix) && !object_gone(o) ? o : NULL;
}

/* NULL: the answer says why not. */
static struct object *copy_snapshot_of(struct call *c, const struct object *source, const char *description)
{
	const char *key = call_parameter(c, "KmsKeyId");
	bool encrypted = call_flag(c, "Encrypted") || *object_get(source, "Encrypted");
	struct object *o;

	if (key && !encrypted) {
		call_error(c, 400, "InvalidParameterDependency", NULL, "KmsKeyId needs Encrypted.");
		return NULL;
	}
	if (strcmp(object_get(source, "State"), "completed") != 0) {
		call_error(c, 400, "IncorrectState", NULL, "The snapshot '%s' is not in the 'completed' state.", source->id);
		return NULL;
	}
	o = snapshots_new(c, object_number(source, "VolumeSize"), description);
	if (!o)
		return NULL;
	object_set(o, "Base", source->id);
	object_set(o, "Encrypted", encrypted ? "yes" : "");
	object_set(o, "KmsKeyArn", key ? key : object_get(source, "KmsKeyArn"));
	object_set(o, "State", c->fault.kind == FAULT_FAILED ? "error" : "completed");
	tags_take(c, "snapshot", o);
	return snapshots_save(c, o) ? o : NULL;
}

static void copy_snapshot(struct call *c)
{
	static const char *const types[] = { "snapshot", NULL };
	const char *id = call_needs(c, "SourceSnapshotId"), *region = id ? call_needs(c, "SourceRegion") : NULL;
	const char *description = call_parameter(c, "Description");
	const struct object *source;
	struct object *o;

	if (!region || !tags_check(c, types))
		return;
	source = find_source(c, "snap", id, region);
	if (!source) {
		call_error(c, 400, "InvalidSnapshot.NotFound", NULL, "The snapshot '%s' does not exist in %s.", id, region);
		return;
	}
	o = copy_snapshot_of(c, source, description ? description : "");
	if (!o)
		return;
	markup_leaf(call_xml_begin(c), "snapshotId", o->id);
	tags_put(&c->a->body, o);
	call_xml_end(c);
}

/* ---------------------------------------------------------------- images */

static bool is_copied(const char *field, bool with_tags)
{
	static const char *const own[] = { "Region", "Created", "Number", "State", "Started", "Name", "Description",
					   "ClientToken", "SourceImageId" };

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (strcmp(field, own[i]) == 0)
			return false;
	return strncmp(field, "share:", 6) != 0 && (with_tags || strncmp(field, "tag:", 4) != 0);
}

static void copy_fields(const struct call *c, const struct object *source, struct object *o)
{
	const char *description = call_parameter(c, "Description");

	for (size_t i = 0; i < source->fields.count; i++)
		if (is_copied(source->fields.items[i].name, call_flag(c, "CopyImageTags")))
			object_set(o, source->fields.items[i].name, source->fields.items[i].value);
	object_set(o, "Description", description ? description : object_get(source, "Description"));
	object_set(o, "SourceImageId", source->id);
	if (call_parameter(c, "ClientToken"))
		object_set(o, "ClientToken", call_parameter(c, "ClientToken"));
	tags_take(c, "image", o);
}

static bool copy_devices(struct call *c, const struct object *source, struct object *o)
{
	CLEANUP_FREE char *description = string_printf("Copied for DestinationAmi %s from SourceAmi %s", o->id, source->id);

	for (unsigned int n = 1; *images_device(source, n, "DeviceName"); n++) {
		const char *id = images_device(source, n, "Ebs.SnapshotId");
		const struct object *from = *id ? objects_find(&c->r->objects, source->region, id) : NULL;
		CLEANUP_FREE char *key = string_printf("BlockDeviceMapping.%u.Ebs.SnapshotId", n);
		CLEANUP_FREE char *encrypted = string_printf("BlockDeviceMapping.%u.Ebs.Encrypted", n);
		struct object *copy = from ? copy_snapshot_of(c, from, description) : NULL;

		if (from && !copy)
			return false;
		if (!copy)
			continue;
		object_set(o, key, copy->id);
		object_set(o, encrypted, *object_get(copy, "Encrypted") ? "true" : "false");
	}
	return true;
}

static const struct object *find_token(const struct call *c)
{
	const char *token = call_parameter(c, "ClientToken");
	const struct objects *all = &c->r->objects;

	for (size_t i = 0; token && *token && i < all->count; i++)
		if (images_find(c, all->items[i]->id) && strcmp(object_get(all->items[i], "ClientToken"), token) == 0)
			return all->items[i];
	return NULL;
}

static void make_copy(struct call *c, const struct object *source, const char *name)
{
	struct object *o = images_new(c, name);

	copy_fields(c, source, o);
	if (!copy_devices(c, source, o))
		object_set(o, "Gone", "yes");
	else if (images_save(c, o))
		images_answer_id(c, o);
}

static void copy_image(struct call *c)
{
	static const char *const types[] = { "image", "snapshot", NULL };
	const char *id = call_needs(c, "SourceImageId"), *region = id ? call_needs(c, "SourceRegion") : NULL;
	const char *name = region ? call_needs(c, "Name") : NULL;
	const struct object *source, *same;

	if (!name || !tags_check(c, types))
		return;
	same = find_token(c);
	if (same) {
		images_answer_id(c, same);
		return;
	}
	source = find_source(c, "ami", id, region);
	if (!source)
		call_error(c, 400, "InvalidAMIID.NotFound", NULL, "The image id '[%s]' does not exist in %s", id, region);
	else if (strcmp(object_get(source, "State"), "available") != 0)
		call_error(c, 400, "InvalidAMIID.Unavailable", NULL, "The image id '[%s]' is not available", id);
	else if (images_name_free(c, name))
		make_copy(c, source, name);
}

const struct operation ec2_copy_operations[] = {
	{ .name = "CopySnapshot", .service = SERVICE_EC2, .subject = "SourceSnapshotId", .run = copy_snapshot,
	  .parameters = (const char *const[]){ "SourceSnapshotId", "SourceRegion", "DestinationRegion", "Description",
					       "Encrypted", "KmsKeyId", "PresignedUrl", TAG_SPECIFICATIONS, "DryRun",
					       NULL } },
	{ .name = "CopyImage", .service = SERVICE_EC2, .subject = "SourceImageId", .run = copy_image,
	  .parameters = (const char *const[]){ "SourceImageId", "SourceRegion", "Name", "Description", "Encrypted",
					       "KmsKeyId", "ClientToken", "CopyImageTags", TAG_SPECIFICATIONS, "DryRun",
					       NULL } },
	{ .name = NULL },
};
