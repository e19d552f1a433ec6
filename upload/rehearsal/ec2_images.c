/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "clock.h"
#include "images.h"
#include "listing.h"
#include "operations.h"
#include "register.h"
#include "snapshots.h"
#include "tags.h"

/* EC2's images: Amazon EC2 API Reference, 2016-11-15. */

/* A parameter of RegisterImage, and what DescribeImages calls it. */
static const struct field {
	const char *field, *element, *filter;
} fields[] = {
	{ "Name", "name", "name" },
	{ "Description", "description", "description" },
	{ "Architecture", "architecture", "architecture" },
	{ "VirtualizationType", "virtualizationType", "virtualization-type" },
	{ "BootMode", "bootMode", "boot-mode" },
	{ "TpmSupport", "tpmSupport", "tpm-support" },
	{ "ImdsSupport", "imdsSupport", "imds-support" },
	{ "EnaSupport", "enaSupport", "ena-support" },
	{ "SriovNetSupport", "sriovNetSupport", "sriov-net-support" },
	{ "RootDeviceName", "rootDeviceName", "root-device-name" },
	{ "SourceImageId", "sourceImageId", "source-image-id" },
};

static const char *filter_value(const struct object *o, const char *filter)
{
	if (strcmp(filter, "image-id") == 0)
		return o->id ? o->id : "";
	if (strcmp(filter, "state") == 0)
		return object_get(o, "State");
	if (strcmp(filter, "owner-id") == 0)
		return object_get(o, "Owner");
	if (strcmp(filter, "is-public") == 0)
		return strcmp(object_get(o, "share:Group"), "all") == 0 ? "true" : "false";
	if (strcmp(filter, "block-device-mapping.snapshot-id") == 0)
		return images_device(o, 1, "Ebs.SnapshotId");
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (strcmp(filter, fields[i].filter) == 0)
			return object_get(o, fields[i].field);
	return NULL;
}

static void put_leaf(struct buf *b, const char *element, const char *value)
{
	if (*value)
		markup_leaf(b, element, value);
}

static void put_device(struct buf *b, const struct object *o, unsigned int n)
{
	const char *keep = images_device(o, n, "Ebs.DeleteOnTermination");
	const char *type = images_device(o, n, "Ebs.VolumeType");

	markup_open(b, "item");
	markup_leaf(b, "deviceName", images_device(o, n, "DeviceName"));
	markup_open(b, "ebs");
	put_leaf(b, "snapshotId", images_device(o, n, "Ebs.SnapshotId"));
	put_leaf(b, "volumeSize", images_device(o, n, "Ebs.VolumeSize"));
	markup_leaf(b, "deleteOnTermination", *keep ? keep : "true");
	markup_leaf(b, "volumeType", *type ? type : "gp2");
	put_leaf(b, "iops", images_device(o, n, "Ebs.Iops"));
	put_leaf(b, "throughput", images_device(o, n, "Ebs.Throughput"));
	markup_bool(b, "encrypted", strcmp(images_device(o, n, "Ebs.Encrypted"), "true") == 0);
	markup_close(b, "ebs");
	markup_close(b, "item");
}

static void put_image(struct call *c, struct buf *b, const struct object *o)
{
	const char *state = object_get(o, "State");
	char time[CLOCK_TEXT_SIZE];

	if (c->fault.kind == FAULT_PENDING && strcmp(state, "available") == 0)
		state = "pending";
	clock_iso((int64_t)object_number(o, "Started"), time);
	markup_leaf(b, "imageId", o->id);
	markup_leaf(b, "imageState", state);
	markup_leaf(b, "imageOwnerId", object_get(o, "Owner"));
	markup_leaf(b, "creationDate", time);
	markup_bool(b, "isPublic", strcmp(object_get(o, "share:Group"), "all") == 0);
	markup_leaf(b, "imageType", "machine");
	markup_leaf(b, "rootDeviceType", "ebs");
	markup_leaf(b, "hypervisor", "xen");
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		put_leaf(b, fields[i].element, object_get(o, fields[i].field));
	markup_open(b, "blockDeviceMapping");
	for (unsigned int n = 1; *images_device(o, n, "DeviceName"); n++)
		put_device(b, o, n);
	markup_close(b, "blockDeviceMapping");
	tags_put(b, o);
}

static void describe_images(struct call *c)
{
	static const struct listing listing = {
		.prefix = "ami", .id = "ImageId", .set = "imagesSet",
		.not_found = "InvalidAMIID.NotFound", .malformed = "InvalidAMIID.Malformed",
		.value = filter_value, .put = put_image,
	};

	listing_answer(c, &listing);
}

/* ---------------------------------------------------------------- DeregisterImage */

static void delete_snapshots(struct call *c, const struct object *image, struct buf *b)
{
	markup_open(b, "deleteSnapshotResultSet");
	for (unsigned int n = 1; *images_device(image, n, "DeviceName"); n++) {
		struct object *o = snapshots_find(c, images_device(image, n, "Ebs.SnapshotId"));
		bool used = o && images_using(c, o->id);

		if (!o)
			continue;
		markup_open(b, "item");
		markup_leaf(b, "snapshotId", o->id);
		markup_leaf(b, "returnCode", used ? "skipped" : "success");
		markup_close(b, "item");
		if (!used && !snapshots_delete(c, o))
			return;
	}
	markup_close(b, "deleteSnapshotResultSet");
}

static void deregister_image(struct call *c)
{
	const char *id = call_needs(c, "ImageId");
	struct object *o = id ? images_find(c, id) : NULL;
	struct buf *b;

	if (!id)
		return;
	if (!o) {
		images_not_found(c, id);
		return;
	}
	object_set(o, "Gone", "yes");
	if (!images_save(c, o))
		return;
	b = call_xml_begin(c);
	markup_bool(b, "return", true);
	if (call_flag(c, "DeleteAssociatedSnapshots"))
		delete_snapshots(c, o, b);
	if (!*c->code)
		call_xml_end(c);
}

const struct operation ec2_image_operations[] = {
	{ .name = "RegisterImage", .service = SERVICE_EC2, .run = register_image, .parameters = register_parameters },
	{ .name = "DescribeImages", .service = SERVICE_EC2, .subject = "ImageId.1", .run = describe_images,
	  .parameters = (const char *const[]){ "ImageId.#", "ExecutableBy.#", "IncludeDeprecated", "IncludeDisabled",
					       LISTING_PARAMETERS, NULL } },
	{ .name = "DeregisterImage", .service = SERVICE_EC2, .subject = "ImageId", .run = deregister_image,
	  .parameters = (const char *const[]){ "ImageId", "DeleteAssociatedSnapshots", "DryRun", NULL } },
	{ .name = NULL },
};
