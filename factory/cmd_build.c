/* SPDX-License-Identifier: Apache-2.0 */
#include "../keys/keyring.h"
#include "base/arguments.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "commands.h"
#include "pipeline.h"
#include "reproduce.h"
#include "shipped.h"

static int build(int argc, char **argv, struct error *err)
{
	CLEANUP_PIPELINE_RESULT struct pipeline_result result = { .disk = NULL };
	CLEANUP_FREE char *cache = NULL, *source_root = NULL;
	struct pipeline_options options = { .output = "out" };
	CLEANUP_KEYRING struct keyring *keyring = NULL;
	bool explain = false, verify = false;
	const char *keys = NULL;
	struct operands operands;
	int r;

	const struct argument table[] = {
		{ .name = "output", .letter = 'o', .kind = ARGUMENT_TEXT, .target = &options.output },
		{ .name = "explain", .kind = ARGUMENT_FLAG, .target = &explain },
		{ .name = "dry-run", .letter = 'n', .kind = ARGUMENT_FLAG, .target = &options.dry_run },
		{ .name = "verify", .kind = ARGUMENT_FLAG, .target = &verify },
		{ .name = "keys", .kind = ARGUMENT_TEXT, .target = &keys },
		{ .name = "unsigned", .kind = ARGUMENT_FLAG, .target = &options.signature_pending },
		{ .name = NULL },
	};

	r = arguments_parse(&command_build, table, argc, argv, "description's directory", 1, 1,
			    &operands, err);
	if (r == 0 && options.signature_pending && !keys)
		r = error_input(err, "kiln build: --unsigned goes with --keys, which says whose signature it will be; without either the image is not signed");
	if (r == 0 && keys)
		r = keyring_open(keys, &keyring, err);
	if (r == 0)
		r = io_cache_dir(&cache, err);
	if (r == 0)
		r = pipeline_source_root(&source_root, err);
	if (r < 0)
		return r;
	options.description = operands.items[0];
	options.cache = cache;
	options.source_root = source_root;
	options.keyring = keyring;
	if (explain || options.dry_run)
		options.explain = stdout;
	r = pipeline_build(&options, &result, err);
	if (r == 0 && verify && !options.dry_run)
		r = reproduce(&options, &result, err);
	if (r < 0 || options.dry_run)
		return r;
	if (verify)
		log_info("a second build in a clean cache gave the same bytes");
	printf("%s\n", result.disk);
	if (options.signature_pending) {
		log_info("have %s/" PIPELINE_REQUEST " signed, then \"kiln sign %s --keys %s --attach SIGNATURE\"",
			 result.directory, result.disk, keys);
		return 0;
	}
	if (shipped_is_provable(result.arch))
		log_info("\"kiln test %s\" proves what %s/manifest.json predicts", result.disk, result.directory);
	return 0;
}

const struct command command_build = {
	.name = "build",
	.run = build,
	.summary = "build a description's image from its lock, without a network",
	.usage = "DIR [-o OUT] [--keys KEYRING [--unsigned]] [--explain] [-n] [--verify]",
	.help =
		"Needs the lock and the packages that \"kiln fetch DIR\" brings. Leaves the raw disk, manifest.json,\n"
		"pcr_measurements.json, the list of packages and build.log in OUT/NAME/, and prints the disk's\n"
		"path. What an earlier build has finished is reused as long as it is what that build made.\n"
		"\n"
		"    -o, --output OUT   directory for results, \"out\" by default\n"
		"    --keys KEYRING     sign the image with this keyring's db key (\"kiln keys new\"), and predict its\n"
		"                       boot with Secure Boot on, too\n"
		"    --unsigned         leave the signature out, and what is to be signed in OUT/NAME/to-be-signed;\n"
		"                       \"kiln sign --attach\" puts it in. The keyring need have no private key\n"
		"    --explain          print first, for each stage, whether it runs and which input is why\n"
		"    -n, --dry-run      print that, and build nothing\n"
		"    --verify           build a second time in a clean cache, and compare: exit code 1 if the two\n"
		"                       differ, with what differs first; the second one's results then stay in\n"
		"                       OUT/NAME.second\n"
		"\n"
		"KILN_CACHE_SIZE (\"20G\" by default, 0 for no limit) is what finished stages may take in the cache;\n"
		"beyond that the least recently used go.\n",
};
