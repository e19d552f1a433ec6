/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/io.h"
#include "images.h"
#include "operations.h"
#include "snapshots.h"

/*
 * Who may use snapshots and images, and what only DescribeImageAttribute shows. An object keeps those it is shared with
 * as fields "share:UserId", "share:Group", "share:OrganizationArn", "share:OrganizationalUnitArn".
 */

#define GRANTEES_MAX 64

static const struct grantee {
	const char *field;		/* in the structured parameters, and after "share:" */
	const char *list;		/* the older parameter, for ModifyImageAttribute */
	const char *snapshot_list;	/* and for ModifySnapshotAttribute */
	const char *element;		/* in answers */
} grantees[] = {
	{ "UserId", "UserId", "UserId", "userId" },
	{ "Group", "UserGroup", "UserGroup", "group" },
	{ "OrganizationArn", "OrganizationArn", NULL, "organizationArn" },
	{ "OrganizationalUnitArn", "OrganizationalUnitArn", NULL, "organizationalUnitArn" },
};

/* ---------------------------------------------------------------- changing */

static bool is_grantee(const struct grantee *g, const char *value)
{
	if (strcmp(g->field, "UserId") == 0)
		return strlen(value) == 12 && strspn(value, "0123456789") == 12;
	if (strcmp(g->field, "Group") == 0)
		return strcmp(value, "all") == 0;
	return strncmp(value, "arn:aws", 7) == 0 && strstr(value, ":organizations::");
}

static bool check_grantee(struct call *c, const struct object *o, const struct grantee *g, const char *value)
{
	bool encrypted = *object_get(o, "Encrypted");

	if (!is_grantee(g, value))
		call_error(c, 400, "InvalidAMIAttributeItemValue", NULL, "Invalid attribute item value \"%s\" for %s item type.",
			   value, g->element);
	else if (encrypted && (strcmp(g->field, "Group") == 0 || !*object_get(o, "KmsKeyArn")))
		call_error(c, 400, "InvalidParameter", NULL, "Encrypted snapshots with the default key cannot be shared, and "
							     "none with all.");
	else
		return true;
	return false;
}

/* Adds the grantee, or removes it. */
static bool change(struct call *c, struct object *o, const struct grantee *g, const char *value, bool add)
{
	CLEANUP_FREE char *field = string_printf("share:%s", g->field);

	if (!check_grantee(c, o, g, value))
		return false;
	pairs_remove(&o->fields, field, value);
	if (add)
		pairs_add(&o->fields, field, value);
	return true;
}

/* PERMISSION.Add.N.FIELD: a mixed list has a user at one number and a group at the next. */
static bool change_structured(struct call *c, struct object *o, const char *permission, const char *what, bool add)
{
	for (unsigned int i = 1; i <= GRANTEES_MAX; i++) {
		for (size_t n = 0; n < ARRAY_SIZE(grantees); n++) {
			const char *value = call_parameterf(c, "%s.%s.%u.%s", permission, what, i, grantees[n].field);

			if (value && !change(c, o, &grantees[n], value, add))
				return false;
		}
	}
	return true;
}

/* OperationType with LIST.N */
static bool change_listed(struct call *c, struct object *o, bool image)
{
	const char *operation = call_parameter(c, "OperationType"), *value;
	bool add = operation && strcmp(operation, "add") == 0;

	if (operation && !add && strcmp(operation, "remove") != 0) {
		call_error(c, 400, "InvalidParameterValue", NULL, "OperationType must be add or remove");
		return false;
	}
	for (size_t n = 0; operation && n < ARRAY_SIZE(grantees); n++) {
		const char *list = image ? grantees[n].list : grantees[n].snapshot_list;

		for (unsigned int i = 1; list && (value = call_parameterf(c, "%s.%u", list, i)); i++)
			if (!change(c, o, &grantees[n], value, add))
				return false;
	}
	return true;
}

static bool change_shares(struct call *c, struct object *o, const char *permission)
{
	return change_structured(c, o, permission, "Add", true) && change_structured(c, o, permission, "Remove", false) &&
	       change_listed(c, o, object_is(o, "ami"));
}

static struct object *find_snapshot(struct call *c)
{
	const char *id = call_needs(c, "SnapshotId");
	struct object *o = id ? snapshots_find(c, id) : NULL;

	if (id && !o)
		call_error(c, 400, "InvalidSnapshot.NotFound", NULL, "The snapshot '%s' does not exist.", id);
	return o;
}

static struct object *find_image(struct call *c)
{
	const char *id = call_needs(c, "ImageId");
	struct object *o = id ? images_find(c, id) : NULL;

	if (id && !o)
		images_not_found(c, id);
	return o;
}

static void modify_snapshot(struct call *c)
{
	struct object *o = find_snapshot(c);

	if (o && change_shares(c, o, "CreateVolumePermission") && snapshots_save(c, o))
		call_done(c);
}

static void modify_image(struct call *c)
{
	struct object *o = find_image(c);
	const char *description = call_parameter(c, "Description.Value");

	if (!o || !change_shares(c, o, "LaunchPermission"))
		return;
	if (description)
		object_set(o, "Description", description);
	if (images_save(c, o))
		call_done(c);
}

/* ---------------------------------------------------------------- showing */

static void put_shares(struct buf *b, const struct object *o, const char *element)
{
	markup_open(b, element);
	for (size_t i = 0; i < o->fields.count; i++) {
		const struct pair *field = &o->fields.items[i];

		for (size_t n = 0; n < ARRAY_SIZE(grantees); n++) {
			if (strncmp(field->name, "share:", 6) != 0 || strcmp(field->name + 6, grantees[n].field) != 0)
				continue;
			markup_open(b, "item");
			markup_leaf(b, grantees[n].element, field->value);
			markup_close(b, "item");
		}
	}
	markup_close(b, element);
}

static void describe_snapshot(struct call *c)
{
	const struct object *o = find_snapshot(c);

	if (!o)
		return;
	markup_leaf(call_xml_begin(c), "snapshotId", o->id);
	put_shares(&c->a->body, o, "createVolumePermission");
	call_xml_end(c);
}

static void put_value(struct buf *b, const char *element, const char *value)
{
	markup_open(b, element);
	if (*value)
		markup_leaf(b, "value", value);
	markup_close(b, element);
}

static void describe_image(struct call *c)
{
	static const char *const simple[][2] = {
		{ "description", "Description" }, { "uefiData", "UefiData" }, { "bootMode", "BootMode" },
		{ "tpmSupport", "TpmSupport" }, { "imdsSupport", "ImdsSupport" }, { "sriovNetSupport", "SriovNetSupport" },
	};
	const struct object *o = find_image(c);
	const char *attribute = o ? call_needs(c, "Attribute") : NULL;
	struct buf *b;

	if (!attribute)
		return;
	b = call_xml_begin(c);
	markup_leaf(b, "imageId", o->id);
	if (strcmp(attribute, "launchPermission") == 0)
		put_shares(b, o, attribute);
	for (size_t i = 0; i < ARRAY_SIZE(simple); i++)
		if (strcmp(attribute, simple[i][0]) == 0)
			put_value(b, attribute, object_get(o, simple[i][1]));
	call_xml_end(c);
}

const struct operation ec2_attribute_operations[] = {
	{ .name = "ModifySnapshotAttribute", .service = SERVICE_EC2, .subject = "SnapshotId", .run = modify_snapshot,
	  .parameters = (const char *const[]){ "SnapshotId", "Attribute", "OperationType", "UserId.#", "UserGroup.#",
					       "CreateVolumePermission.Add.#.UserId", "CreateVolumePermission.Add.#.Group",
					       "CreateVolumePermission.Remove.#.UserId",
					       "CreateVolumePermission.Remove.#.Group", "DryRun", NULL } },
	{ .name = "DescribeSnapshotAttribute", .service = SERVICE_EC2, .subject = "SnapshotId", .run = describe_snapshot,
	  .parameters = (const char *const[]){ "SnapshotId", "Attribute", "DryRun", NULL } },
	{ .name = "ModifyImageAttribute", .service = SERVICE_EC2, .subject = "ImageId", .run = modify_image,
	  .parameters = (const char *const[]){ "ImageId", "Attribute", "OperationType", "UserId.#", "UserGroup.#",
					       "OrganizationArn.#", "OrganizationalUnitArn.#",
					       "LaunchPermission.Add.#.UserId", "LaunchPermission.Add.#.Group",
					       "LaunchPermission.Add.#.OrganizationArn",
					       "LaunchPermission.Add.#.OrganizationalUnitArn",
					       "LaunchPermission.Remove.#.UserId", "LaunchPermission.Remove.#.Group",
					       "LaunchPermission.Remove.#.OrganizationArn",
					       "LaunchPermission.Remove.#.OrganizationalUnitArn", "Description.Value",
					       "Value", "DryRun", NULL } },
	{ .name = "DescribeImageAttribute", .service = SERVICE_EC2, .subject = "ImageId", .run = describe_image,
	  .parameters = (const char *const[]){ "ImageId", "Attribute", "DryRun", NULL } },
	{ .name = NULL },
};
