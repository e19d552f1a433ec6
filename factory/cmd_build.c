/* SPDX-License-Identifier: Apache-2.0 */
#include "arguments.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "pipeline.h"

static int build(int argc, char **argv, struct error *err)
{
	CLEANUP_PIPELINE_RESULT struct pipeline_result result = { .disk = NULL };
	CLEANUP_FREE char *cache = NULL, *source_root = NULL;
	struct pipeline_options options = { .output = "out" };
	struct operands operands;
	int r;

	const struct argument table[] = {
		{ .name = "output", .letter = 'o', .kind = ARGUMENT_TEXT, .target = &options.output },
		{ .name = NULL },
	};

	r = arguments_parse(&command_build, table, argc, argv, "description's directory", 1, 1,
			    &operands, err);
	if (r == 0)
		r = io_cache_dir(&cache, err);
	if (r == 0)
		r = pipeline_source_root(&source_root, err);
	if (r < 0)
		return r;
	options.description = operands.items[0];
	options.cache = cache;
	options.source_root = source_root;
	r = pipeline_build(&options, &result, err);
	if (r < 0)
		return r;
	printf("%s\n", result.disk);
	log_info("\"kiln test %s\" proves what %s/manifest.json predicts", result.disk, result.directory);
	return 0;
}

const struct command command_build = {
	.name = "build",
	.run = build,
	.summary = "build a description's image from its lock, without a network",
	.usage = "DIR [-o OUT]",
	.help =
		"Needs the lock and the packages that \"kiln fetch DIR\" brings. Leaves the raw disk, manifest.json,\n"
		"pcr_measurements.json, the list of packages and build.log in OUT/NAME/, and prints the disk's\n"
		"path. What an earlier build has finished is reused.\n"
		"\n"
		"    -o, --output OUT   directory for results, \"out\" by default\n",
};
