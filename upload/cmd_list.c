/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "../factory/base/arguments.h"
#include "../factory/base/error.h"
#include "commands.h"
#include "ec2.h"

static int print_images(const struct aws_options *options, const char *name, struct error *err)
{
	CLEANUP_AWS struct aws *a = NULL;
	CLEANUP_IMAGES struct images images = IMAGES_INIT;
	int r = aws_open(options, &a, err);

	if (r == 0 && name)
		r = ec2_images(a, "tag:" TAG_IMAGE, name, &images, err);
	else if (r == 0)
		r = ec2_images(a, "tag-key", TAG_DISK, &images, err);
	if (r < 0)
		return r;
	images_newest_first(&images);
	for (size_t i = 0; i < images.count; i++) {
		const struct image *image = &images.items[i];

		printf("%-24s  %-21s  %-22s  %-9s  %s\n", image->created, image->id, image->snapshot, image->state,
		       image->name);
	}
	return 0;
}

static int list(int argc, char **argv, struct error *err)
{
	struct aws_options options = { .region = NULL };
	struct operands operands;
	int r;

	const struct argument table[] = {
		AWS_ARGUMENTS(options),
		{ .name = NULL },
	};

	r = arguments_parse(&command_list, table, argc, argv, "image", 0, 1, &operands, err);
	return r < 0 ? r : print_images(&options, operands.count ? operands.items[0] : NULL, err);
}

const struct command command_list = {
	.name = "list",
	.program = UPLOAD_PROGRAM,
	.run = list,
	.summary = "list the images that were uploaded to a region",
	.usage = "[IMAGE] [--region REGION] [--profile NAME]",
	.help =
		"Prints this account's images that Kiln registered, the newest first: time, id, snapshot, state, name. They are\n"
		"known by their tags.\n"
		"\n"
		"    IMAGE             only those of this description, as its manifest names it (\"mpc\")\n"
		AWS_ARGUMENTS_HELP,
};
