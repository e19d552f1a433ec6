/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <string.h>

#include "../factory/base/arguments.h"
#include "../factory/base/error.h"
#include "commands.h"
#include "ec2.h"
#include "removal.h"

static int remove_one(struct aws *a, const char *id, struct error *err)
{
	CLEANUP_IMAGE struct image image = { .id = NULL };
	bool found = false;
	int r;

	if (snapshot_id_ok(id))
		return removal_of_snapshot(a, id, err);
	if (strncmp(id, "ami-", 4))
		return error_input(err, "%s is the id of neither an image nor a snapshot", id);
	r = ec2_image(a, id, &image, &found, err);
	if (r == 0 && !found)
		r = error_input(err, "there is no image %s in %s", id, aws_region(a));
	return r < 0 ? r : removal_of_image(a, &image, err);
}

static int remove_all(const struct aws_options *options, const struct operands *ids, struct error *err)
{
	CLEANUP_AWS struct aws *a = NULL;
	int r = aws_open(options, &a, err);

	for (unsigned int i = 0; r == 0 && i < ids->count; i++)
		r = remove_one(a, ids->items[i], err);
	return r;
}

static int deregister(int argc, char **argv, struct error *err)
{
	struct aws_options options = { .region = NULL };
	struct operands operands;
	int r;

	const struct argument table[] = {
		AWS_ARGUMENTS(options),
		{ .name = NULL },
	};

	r = arguments_parse(&command_deregister, table, argc, argv, "image", 1, UINT16_MAX, &operands, err);
	return r < 0 ? r : remove_all(&options, &operands, err);
}

const struct command command_deregister = {
	.name = "deregister",
	.program = UPLOAD_PROGRAM,
	.run = deregister,
	.summary = "remove images and their snapshots",
	.usage = "AMI... [--region REGION] [--profile NAME]",
	.help =
		"Deregisters each image and deletes its snapshot. Machines that run go on. Prints what it removed.\n"
		"\n"
		"    AMI               an image's id; a snapshot's removes the images of it, too\n"
		AWS_ARGUMENTS_HELP,
};
