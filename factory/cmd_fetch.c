/* SPDX-License-Identifier: Apache-2.0 */
#include "../rootfs/packages/packages.h"
#include "../rootfs/packages/store.h"
#include "arguments.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "model/description.h"

static void print_lock(const char *path, const struct lock *lock)
{
	printf("%s\n", path);
	for (int i = 0; i < LOCK_SETS; i++)
		printf("    %-10s %zu package%s\n", lock_set_names[i], lock->sets[i].count,
		       lock->sets[i].count == 1 ? "" : "s");
}

static int fetch(int argc, char **argv, struct error *err)
{
	CLEANUP_DESCRIPTION struct description *description = NULL;
	CLEANUP_FREE char *cache = NULL, *lock_path = NULL;
	CLEANUP_STORE struct store *store = NULL;
	CLEANUP_LOCK struct lock *lock = NULL;
	struct fetch_options options = { .mirror = getenv("KILN_MIRROR") };
	struct operands operands;
	int r;

	const struct argument table[] = {
		{ .name = "mirror", .kind = ARGUMENT_TEXT, .target = &options.mirror },
		{ .name = "update", .kind = ARGUMENT_FLAG, .target = &options.update },
		{ .name = NULL },
	};

	r = arguments_parse(&command_fetch, table, argc, argv, "description's directory", 1, 1,
			    &operands, err);
	if (r == 0)
		r = description_read(operands.items[0], &description, err);
	if (r == 0)
		r = io_cache_dir(&cache, err);
	if (r == 0)
		r = store_open(cache, &store, err);
	if (r < 0)
		return r;
	lock_path = path_join(operands.items[0], "kiln.lock");
	options.description = description;
	options.lock_path = lock_path;
	options.cache = cache;
	r = packages_fetch(&options, store, &lock, err);
	if (r == 0)
		print_lock(lock_path, lock);
	return r;
}

const struct command command_fetch = {
	.name = "fetch",
	.run = fetch,
	.summary = "resolve and download a description's packages; the one verb that needs a network",
	.usage = "DIR [--mirror URL] [--update]",
	.help =
		"Writes DIR/kiln.lock, which names every package by its digest, and fills the store in the\n"
		"cache directory (KILN_CACHE, or kiln below XDG_CACHE_HOME). A lock that fits the description\n"
		"is kept, and only what the store lacks is downloaded.\n"
		"\n"
		"    --mirror URL   where \"distro:debian\" is fetched from, rather than KILN_MIRROR or this\n"
		"                   host's own apt sources\n"
		"    --update       resolve anew although the lock fits\n",
};
