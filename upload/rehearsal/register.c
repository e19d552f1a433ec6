/* SPDX-License-Identifier: Apache-2.0 */
#include "register.h"

#include <inttypes.h>
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/format/uefi_data.h"
#include "images.h"
#include "snapshots.h"
#include "tags.h"

#define DESCRIPTION_MAX 255

const char *const register_parameters[] = {
	"Name", "Description", "Architecture", "VirtualizationType", "BootMode", "TpmSupport", "UefiData", "ImdsSupport",
	"EnaSupport", "SriovNetSupport", "RootDeviceName", "BlockDeviceMapping.#.DeviceName",
	"BlockDeviceMapping.#.NoDevice", "BlockDeviceMapping.#.VirtualName", "BlockDeviceMapping.#.Ebs.SnapshotId",
	"BlockDeviceMapping.#.Ebs.VolumeSize", "BlockDeviceMapping.#.Ebs.VolumeType",
	"BlockDeviceMapping.#.Ebs.DeleteOnTermination", "BlockDeviceMapping.#.Ebs.Iops",
	"BlockDeviceMapping.#.Ebs.Throughput", "BlockDeviceMapping.#.Ebs.Encrypted", "BlockDeviceMapping.#.Ebs.KmsKeyId",
	TAG_SPECIFICATIONS, "DryRun", NULL
};

/* ---------------------------------------------------------------- words */

/* Parameters with a closed set of values; the first is what an image has without. */
static const struct choice {
	const char *parameter, *otherwise;
	const char *values[6];
} choices[] = {
	/* An image that says nothing is of the oldest kind there was. */
	{ "Architecture", "i386", { "i386", "x86_64", "arm64", "x86_64_mac", "arm64_mac" } },
	{ "VirtualizationType", "paravirtual", { "paravirtual", "hvm" } },
	{ "BootMode", "", { "legacy-bios", "uefi", "uefi-preferred" } },
	{ "TpmSupport", "", { "v2.0" } },
	{ "ImdsSupport", "", { "v2.0" } },
	{ "SriovNetSupport", "", { "simple" } },
	{ "EnaSupport", "", { "true", "false" } },
};

static bool is_choice(const struct choice *choice, const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(choice->values) && choice->values[i]; i++)
		if (strcmp(choice->values[i], value) == 0)
			return true;
	return false;
}

static bool check_choices(struct call *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		const char *value = call_parameter(c, choices[i].parameter);

		if (!value || is_choice(&choices[i], value))
			continue;
		call_error(c, 400, "InvalidParameterValue", NULL, "Value (%s) for parameter %s is invalid.", value,
			   choices[i].parameter);
		return false;
	}
	return true;
}

static const char *chosen(const struct call *c, const char *parameter)
{
	const char *value = call_parameter(c, parameter);

	for (size_t i = 0; !value && i < ARRAY_SIZE(choices); i++)
		if (strcmp(choices[i].parameter, parameter) == 0)
			value = choices[i].otherwise;
	return value ? value : "";
}

static bool is_chosen(const struct call *c, const char *parameter, const char *value)
{
	return strcmp(chosen(c, parameter), value) == 0;
}

static bool check_together(struct call *c)
{
	bool uefi = is_chosen(c, "BootMode", "uefi"), hvm = is_chosen(c, "VirtualizationType", "hvm");

	if (*chosen(c, "TpmSupport") && !uefi)
		call_error(c, 400, "InvalidParameterCombination", NULL, "TpmSupport v2.0 needs BootMode uefi.");
	else if (call_parameter(c, "UefiData") && !uefi && !is_chosen(c, "BootMode", "uefi-preferred"))
		call_error(c, 400, "InvalidParameterCombination", NULL, "UefiData needs BootMode uefi.");
	else if (!hvm && (*chosen(c, "BootMode") || is_chosen(c, "EnaSupport", "true")))
		call_error(c, 400, "InvalidParameterCombination", NULL, "A paravirtual image has neither BootMode nor "
									"EnaSupport; VirtualizationType must be hvm.");
	else if (is_chosen(c, "Architecture", "arm64") && !uefi)
		call_error(c, 400, "InvalidParameterCombination", NULL, "arm64 needs BootMode uefi.");
	else if (is_chosen(c, "Architecture", "i386") && uefi)
		call_error(c, 400, "InvalidParameterCombination", NULL, "i386 has no BootMode uefi.");
	else
		return true;
	return false;
}

static bool check_uefi_data(struct call *c)
{
	const char *text = call_parameter(c, "UefiData");
	CLEANUP_UEFI_DATA struct uefi_data data = UEFI_DATA_INIT;
	struct error err = ERROR_INIT;

	if (!text)
		return true;
	if (strlen(text) > UEFI_DATA_TEXT_MAX)
		call_error(c, 400, "InvalidParameterValue", NULL, "UefiData must have at most %u characters.",
			   UEFI_DATA_TEXT_MAX);
	else if (uefi_data_parse(text, strlen(text), &data, &err) < 0)
		call_error(c, 400, "InvalidParameterValue", NULL, "Invalid UefiData: %s", err.message);
	else
		return true;
	return false;
}

/* ---------------------------------------------------------------- devices */

static const struct volume_type {
	const char *name;
	uint64_t gib_least, gib_most, iops_most, throughput_most;	/* 0: must not be given */
} volume_types[] = {
	{ "gp3", 1, 65536, 80000, 2000 }, { "gp2", 1, 16384, 0, 0 }, { "io1", 4, 16384, 64000, 0 },
	{ "io2", 4, 65536, 256000, 0 }, { "st1", 125, 16384, 0, 0 }, { "sc1", 125, 16384, 0, 0 },
	{ "standard", 1, 1024, 0, 0 },
};

static const char *device(const struct call *c, unsigned int n, const char *field)
{
	return call_parameterf(c, "BlockDeviceMapping.%u.%s", n, field);
}

static bool bad_device(struct call *c, const char *sentence)
{
	call_error(c, 400, "InvalidBlockDeviceMapping", NULL, "%s", sentence);
	return false;
}

static const struct volume_type *find_type(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(volume_types); i++)
		if (strcmp(volume_types[i].name, name) == 0)
			return &volume_types[i];
	return NULL;
}

/* A number that may be left out, and must be where `most` is 0. */
static bool in_range(const char *text, uint64_t least, uint64_t most)
{
	uint64_t value;

	return !text || (most && call_number(text, least, most, &value));
}

static bool check_volume(struct call *c, unsigned int n, uint64_t snapshot_size)
{
	const char *size = device(c, n, "Ebs.VolumeSize"), *type = device(c, n, "Ebs.VolumeType");
	const struct volume_type *t = find_type(type ? type : "gp2");
	uint64_t gib = snapshot_size;

	if (!t)
		return bad_device(c, "VolumeType must be gp3, gp2, io1, io2, st1, sc1 or standard.");
	if (size && !call_number(size, 1, UINT32_MAX, &gib))
		return bad_device(c, "VolumeSize must be a number of GiB.");
	if (gib < snapshot_size) {
		call_error(c, 400, "InvalidBlockDeviceMapping", NULL, "Volume of size %" PRIu64 "GB is smaller than snapshot "
			   "'%s', expect size >= %" PRIu64 "GB", gib, device(c, n, "Ebs.SnapshotId"), snapshot_size);
		return false;
	}
	if (gib < t->gib_least || gib > t->gib_most)
		return bad_device(c, "VolumeSize is not one that this VolumeType may have.");
	if (!in_range(device(c, n, "Ebs.Iops"), 100, t->iops_most))
		return bad_device(c, "Iops is not for this VolumeType, or not within its range.");
	if (!in_range(device(c, n, "Ebs.Throughput"), 125, t->throughput_most))
		return bad_device(c, "Throughput is not for this VolumeType, or not within its range.");
	return true;
}

static bool check_snapshot(struct call *c, unsigned int n)
{
	const char *id = device(c, n, "Ebs.SnapshotId");
	const struct object *o;

	if (!id)
		return device(c, n, "Ebs.VolumeSize") ? check_volume(c, n, 0) :
							bad_device(c, "A device needs a SnapshotId or a VolumeSize.");
	if (device(c, n, "Ebs.Encrypted") || device(c, n, "Ebs.KmsKeyId")) {
		call_error(c, 400, "InvalidParameterDependency", NULL, "Encrypted and KmsKeyId may not be given with a "
								       "SnapshotId.");
		return false;
	}
	o = snapshots_find(c, id);
	if (!o)
		call_error(c, 400, "InvalidSnapshot.NotFound", NULL, "The snapshot '%s' does not exist.", id);
	else if (strcmp(object_get(o, "State"), "completed") != 0)
		call_error(c, 400, "IncorrectState", NULL, "The snapshot '%s' is not in the 'completed' state.", id);
	else
		return check_volume(c, n, object_number(o, "VolumeSize"));
	return false;
}

static bool check_devices(struct call *c)
{
	const char *root = call_parameter(c, "RootDeviceName"), *name;
	bool found = false;

	if (!root)
		root = "/dev/sda1";
	for (unsigned int n = 1; (name = device(c, n, "DeviceName")); n++) {
		if (n > IMAGE_DEVICES_MAX || strncmp(name, "/dev/", 5) != 0)
			return bad_device(c, "There are too many devices, or one's name does not begin with /dev/.");
		if (!check_snapshot(c, n))
			return false;
		if (strcmp(name, root) == 0)
			found = device(c, n, "Ebs.SnapshotId");
	}
	return found || bad_device(c, "The root device is not among the block device mappings, or has no snapshot.");
}

/* ---------------------------------------------------------------- the image */

static bool check(struct call *c, const char *name)
{
	static const char *const types[] = { "image", "snapshot", NULL };
	const char *description = call_parameter(c, "Description");

	if (description && strlen(description) > DESCRIPTION_MAX) {
		call_error(c, 400, "InvalidParameterValue", NULL, "Description must have at most %u characters.",
			   DESCRIPTION_MAX);
		return false;
	}
	return images_name_free(c, name) && check_choices(c) && check_together(c) && check_uefi_data(c) &&
	       check_devices(c) && tags_check(c, types);
}

static bool is_kept(const char *name)
{
	static const char *const others[] = { "Action", "Version", "Name", "DryRun" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (strcmp(name, others[i]) == 0)
			return false;
	return strncmp(name, "TagSpecification.", 17) != 0;
}

static void keep(const struct call *c, struct object *o)
{
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++)
		if (*choices[i].otherwise)
			object_set(o, choices[i].parameter, choices[i].otherwise);
	object_set(o, "RootDeviceName", "/dev/sda1");
	for (size_t i = 0; i < c->parameters.count; i++)
		if (is_kept(c->parameters.items[i].name))
			object_set(o, c->parameters.items[i].name, c->parameters.items[i].value);
	tags_take(c, "image", o);
}

/* What EC2 fills in by itself. */
static void complete_devices(const struct call *c, struct object *o)
{
	for (unsigned int n = 1; *images_device(o, n, "DeviceName"); n++) {
		const struct object *snapshot = snapshots_find(c, images_device(o, n, "Ebs.SnapshotId"));
		CLEANUP_FREE char *size = string_printf("BlockDeviceMapping.%u.Ebs.VolumeSize", n);

		if (snapshot && !*object_get(o, size))
			object_set(o, size, object_get(snapshot, "VolumeSize"));
	}
}

void register_image(struct call *c)
{
	const char *name = call_needs(c, "Name");
	struct object *o;

	if (!name || !check(c, name))
		return;
	o = images_new(c, name);
	keep(c, o);
	complete_devices(c, o);
	if (images_save(c, o))
		images_answer_id(c, o);
}
