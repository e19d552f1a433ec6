/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "../factory/base/arguments.h"
#include "../factory/base/error.h"
#include "commands.h"
#include "ec2.h"
#include "removal.h"

struct request {
	struct aws_options aws;
	const char *name;
	unsigned int keep;
	bool dry_run;
};

static int prune_all(const struct request *q, struct error *err)
{
	CLEANUP_AWS struct aws *a = NULL;
	CLEANUP_IMAGES struct images images = IMAGES_INIT;
	int r = aws_open(&q->aws, &a, err);

	if (r == 0)
		r = ec2_images(a, "tag:" TAG_IMAGE, q->name, &images, err);
	if (r < 0)
		return r;
	images_newest_first(&images);
	for (size_t i = q->keep; r == 0 && i < images.count; i++) {
		if (q->dry_run)
			printf("%s\n%s\n", images.items[i].id, images.items[i].snapshot);
		else
			r = removal_of_image(a, &images.items[i], err);
	}
	return r;
}

static int prune(int argc, char **argv, struct error *err)
{
	struct request q = { .keep = 0 };
	struct operands operands;
	int r;

	const struct argument table[] = {
		{ .name = "keep", .kind = ARGUMENT_NUMBER, .target = &q.keep, .least = 1, .most = 100000 },
		{ .name = "dry-run", .letter = 'n', .kind = ARGUMENT_FLAG, .target = &q.dry_run },
		AWS_ARGUMENTS(q.aws),
		{ .name = NULL },
	};

	r = arguments_parse(&command_prune, table, argc, argv, "image", 1, 1, &operands, err);
	if (r == 0 && !q.keep)
		r = error_input(err, "kiln-upload prune: --keep is missing: how many of the newest images stay");
	if (r < 0)
		return r;
	q.name = operands.items[0];
	return prune_all(&q, err);
}

const struct command command_prune = {
	.name = "prune",
	.program = UPLOAD_PROGRAM,
	.run = prune,
	.summary = "remove all but the newest images of a description",
	.usage = "IMAGE --keep N [-n] [--region REGION] [--profile NAME]",
	.help =
		"Of this account's images that Kiln registered for the description IMAGE (\"mpc\") the N newest stay; the others\n"
		"are deregistered and their snapshots deleted. Prints what it removed.\n"
		"\n"
		"    --keep N          how many stay, at least one\n"
		"    -n, --dry-run     prints what would go\n"
		AWS_ARGUMENTS_HELP,
};
