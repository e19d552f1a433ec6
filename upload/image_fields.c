/* SPDX-License-Identifier: Apache-2.0 */
#include "image_fields.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "xml.h"

const char *image_architecture(const char *arch)
{
	static const struct {
		const char *arch, *ec2;
	} table[] = {
		{ "x86_64", "x86_64" },
		{ "aarch64", "arm64" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (strcmp(table[i].arch, arch) == 0)
			return table[i].ec2;
	return NULL;
}

int image_check_name(const char *name, struct error *err)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789()[] ./-'@_";
	size_t len = strlen(name), good = strspn(name, letters);

	if (len < 3 || len > IMAGE_NAME_MAX)
		return error_input(err, "an image's name has 3 to %u characters, \"%s\" has %zu", IMAGE_NAME_MAX, name, len);
	if (good < len)
		return error_input(err, "EC2 takes letters, digits and ()[] ./-'@_ in an image's name, not the \"%c\" of \"%s\"",
				   name[good], name);
	return 0;
}

/* ---------------------------------------------------------------- asking */

static void add_disk(const struct image_request *q, struct form *ret)
{
	char gib[16];

	(void)snprintf(gib, sizeof(gib), "%" PRIu32, q->gib);
	form_add(ret, IMAGE_ROOT_DEVICE, "RootDeviceName");
	form_add(ret, IMAGE_ROOT_DEVICE, "BlockDeviceMapping.1.DeviceName");
	form_add(ret, q->snapshot, "BlockDeviceMapping.1.Ebs.SnapshotId");
	form_add(ret, gib, "BlockDeviceMapping.1.Ebs.VolumeSize");
	form_add(ret, "gp3", "BlockDeviceMapping.1.Ebs.VolumeType");
	form_add(ret, "true", "BlockDeviceMapping.1.Ebs.DeleteOnTermination");
}

static void add_tags(const struct tags *tags, struct form *ret)
{
	form_add(ret, "image", "TagSpecification.1.ResourceType");
	for (size_t i = 0; i < tags->count; i++) {
		form_add(ret, tags->items[i].key, "TagSpecification.1.Tag.%zu.Key", i + 1);
		form_add(ret, tags->items[i].value, "TagSpecification.1.Tag.%zu.Value", i + 1);
	}
}

void image_register_form(const struct image_request *q, struct form *ret)
{
	form_add(ret, q->name, "Name");
	form_add(ret, q->description, "Description");
	form_add(ret, q->architecture, "Architecture");
	form_add(ret, "hvm", "VirtualizationType");
	/* Not uefi-preferred: a machine type without UEFI would start something else, or nothing. */
	form_add(ret, "uefi", "BootMode");
	form_add(ret, "v2.0", "TpmSupport");
	form_add(ret, "v2.0", "ImdsSupport");
	form_add(ret, "true", "EnaSupport");
	if (q->uefi_data)
		form_add(ret, q->uefi_data, "UefiData");
	add_disk(q, ret);
	add_tags(q->tags, ret);
}

/* ---------------------------------------------------------------- looking */

static char *text_of(const struct xml_node *item, const char *path)
{
	const char *text = xml_text(item, path);

	return string_copy(text ? text : "");
}

static char *tag_of(const struct xml_node *item, const char *key)
{
	for (const struct xml_node *tag = xml_find(item, "tagSet/item"); tag; tag = xml_next(tag)) {
		const char *name = xml_text(tag, "key");

		if (name && strcmp(name, key) == 0)
			return text_of(tag, "value");
	}
	return string_copy("");
}

/* The mapping of the root device; of an image that Kiln makes it is the only one. */
static const struct xml_node *root_mapping(const struct xml_node *item)
{
	const char *root = xml_text(item, "rootDeviceName");
	const struct xml_node *m = xml_find(item, "blockDeviceMapping/item");

	for (; m && root; m = xml_next(m)) {
		const char *device = xml_text(m, "deviceName");

		if (device && strcmp(device, root) == 0)
			return m;
	}
	return NULL;
}

void image_parse(const struct xml_node *item, struct image *ret)
{
	const struct xml_node *mapping = root_mapping(item);

	*ret = (struct image){
		.id = text_of(item, "imageId"),
		.name = text_of(item, "name"),
		.state = text_of(item, "imageState"),
		.reason = text_of(item, "stateReason/message"),
		.created = text_of(item, "creationDate"),
		.snapshot = mapping ? text_of(mapping, "ebs/snapshotId") : string_copy(""),
		.image_tag = tag_of(item, TAG_IMAGE),
		.disk_tag = tag_of(item, TAG_DISK),
		.architecture = text_of(item, "architecture"),
		.boot_mode = text_of(item, "bootMode"),
		.tpm = text_of(item, "tpmSupport"),
		.imds = text_of(item, "imdsSupport"),
		.ena = text_of(item, "enaSupport"),
		.virtualization = text_of(item, "virtualizationType"),
		.root_device = text_of(item, "rootDeviceName"),
		.volume_gib = mapping ? text_of(mapping, "ebs/volumeSize") : string_copy(""),
	};
}

void image_clear(struct image *i)
{
	char *texts[] = { i->id, i->name, i->state, i->reason, i->created, i->snapshot, i->image_tag, i->disk_tag,
			  i->architecture, i->boot_mode, i->tpm, i->imds, i->ena, i->virtualization, i->root_device,
			  i->volume_gib };

	for (size_t k = 0; k < ARRAY_SIZE(texts); k++)
		free(texts[k]);
	memset(i, 0, sizeof(*i));
}

int image_check(const struct image *i, const struct image_request *q, struct error *err)
{
	char gib[16];

	(void)snprintf(gib, sizeof(gib), "%" PRIu32, q->gib);

	const struct {
		const char *field, *got, *asked;
	} fields[] = {
		{ "name", i->name, q->name },
		{ "architecture", i->architecture, q->architecture },
		{ "virtualizationType", i->virtualization, "hvm" },
		{ "bootMode", i->boot_mode, "uefi" },
		{ "tpmSupport", i->tpm, "v2.0" },
		{ "imdsSupport", i->imds, "v2.0" },
		{ "enaSupport", i->ena, "true" },
		{ "rootDeviceName", i->root_device, IMAGE_ROOT_DEVICE },
		{ "snapshotId", i->snapshot, q->snapshot },
		{ "volumeSize", i->volume_gib, gib },
	};

	for (size_t k = 0; k < ARRAY_SIZE(fields); k++)
		if (strcmp(fields[k].got, fields[k].asked))
			return error_outside(err, "%s is not as it was asked for: EC2 says that its %s is \"%s\", not \"%s\"",
					     i->id, fields[k].field, fields[k].got, fields[k].asked);
	return 0;
}
