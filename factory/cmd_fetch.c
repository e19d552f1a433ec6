/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>

#include "../rootfs/packages/changes.h"
#include "../rootfs/packages/packages.h"
#include "../rootfs/packages/store.h"
#include "base/arguments.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "commands.h"
#include "full_disk.h"
#include "model/description.h"
#include "base/size_text.h"

/* ---------------------------------------------------------------- results */

static void print_lock(const char *path, const struct lock *lock)
{
	printf("%s\n", path);
	for (int i = 0; i < LOCK_SETS; i++)
		printf("    %-10s %zu package%s\n", lock_set_names[i], lock->sets[i].count,
		       lock->sets[i].count == 1 ? "" : "s");
}

static void print_change(const struct lock_change *change)
{
	const struct locked_package *before = change->before, *after = change->after;
	CLEANUP_FREE char *what = NULL;
	char size[SIZE_TEXT_MAX];

	if (!before)
		what = string_printf("added %s", after->version);
	else if (!after)
		what = string_printf("removed %s", before->version);
	else
		what = string_printf("%s -> %s", before->version, after->version);
	size_change_text(before ? before->size : 0, after ? after->size : 0, size);
	printf("%-10s %-24s %-40s %s\n", lock_set_names[change->set],
	       (after ? after : before)->name, what, size);
}

/* Everything that a lock has other than the one before it. */
static void print_changes(const struct lock *before, const struct lock *after)
{
	CLEANUP_LOCK_CHANGES struct lock_changes changes = {NULL, 0};
	size_t added = 0, removed = 0;
	uint64_t size_before = 0, size_after = 0;
	char size[SIZE_TEXT_MAX];

	lock_changes_find(before, after, &changes);
	for (size_t i = 0; i < changes.count; i++) {
		const struct lock_change *change = &changes.items[i];

		print_change(change);
		added += !change->before;
		removed += !change->after;
		size_before += change->before ? change->before->size : 0;
		size_after += change->after ? change->after->size : 0;
	}
	size_change_text(size_before, size_after, size);
	printf("%zu moved, %zu added, %zu removed: %s\n\n", changes.count - added - removed, added,
	       removed, size);
}

static void print_result(const struct fetch_options *options, const struct fetch_result *result)
{
	if (result->before)
		print_changes(result->before, result->lock);
	else if (options->update)
		printf("nothing has moved\n\n");
	print_lock(options->lock_path, result->lock);
}

/* ---------------------------------------------------------------- the verb */

static int check_use(const struct operands *operands, const struct fetch_options *options,
		     struct error *err)
{
	if (operands->count > 1 && !options->update)
		return error_input(err,
				   "kiln fetch: \"%s\" is one argument too many: packages are "
				   "named with --update",
				   operands->items[1]);
	if (options->locked && options->update)
		return error_input(err, "kiln fetch: --locked forbids what --update asks for");
	return 0;
}

static int run(const struct operands *operands, struct fetch_options *options, struct error *err)
{
	CLEANUP_DESCRIPTION struct description *description = NULL;
	CLEANUP_FETCH_RESULT struct fetch_result result = {.lock = NULL};
	CLEANUP_FREE char *cache = NULL, *lock_path = path_join(operands->items[0], "kiln.lock");
	CLEANUP_STORE struct store *store = NULL;
	int r;

	r = description_read(operands->items[0], &description, err);
	if (r == 0)
		r = io_cache_dir(&cache, err);
	if (r == 0)
		r = store_open(cache, &store, err);
	if (r < 0)
		return r;
	options->description = description;
	options->lock_path = lock_path;
	options->moving = (const char *const *)operands->items + 1;
	options->cache = cache;
	r = packages_fetch(options, store, &result, err);
	if (r < 0)
		return full_disk_explain_cache(cache, err);
	print_result(options, &result);
	return 0;
}

static int fetch(int argc, char **argv, struct error *err)
{
	struct fetch_options options = {
		.mirror = getenv("KILN_MIRROR"),
		.snapshot_archive = getenv("KILN_SNAPSHOT"),
	};
	struct operands operands;
	int r;

	const struct argument table[] = {
		{ .name = "locked", .kind = ARGUMENT_FLAG, .target = &options.locked },
		{ .name = "mirror", .kind = ARGUMENT_TEXT, .target = &options.mirror },
		{ .name = "snapshot", .kind = ARGUMENT_TEXT, .target = &options.snapshot },
		{ .name = "snapshot-archive", .kind = ARGUMENT_TEXT, .target = &options.snapshot_archive },
		{ .name = "update", .kind = ARGUMENT_FLAG, .target = &options.update },
		{ .name = NULL },
	};

	r = arguments_parse(&command_fetch, table, argc, argv, "description's directory", 1,
			    UINT_MAX, &operands, err);
	if (r == 0)
		r = check_use(&operands, &options, err);
	return r < 0 ? r : run(&operands, &options, err);
}

const struct command command_fetch = {
	.name = "fetch",
	.run = fetch,
	.summary = "resolve and download a description's packages; the one verb that needs a network",
	.usage = "DIR [--update [PACKAGE...]] [--locked] [--mirror URL] [--snapshot TIMESTAMP]",
	.help =
		"Writes DIR/kiln.lock, which names every package by its digest, and fills the store in the\n"
		"cache directory (KILN_CACHE, or kiln below XDG_CACHE_HOME) with what it lacks.\n"
		"\n"
		"A lock that fits the description is used exactly as it is. When the description asks for\n"
		"something else than the lock was made for, packages that are still wanted keep their locked\n"
		"versions, as far as these go together with what is new and the archive or the store has them.\n"
		"Every package that moves, comes or goes is printed, with its set and its size.\n"
		"\n"
		"    --update [PACKAGE...]  move the lock to the newest packages although it fits; with names\n"
		"                           these alone, in every set that has them, and what their new\n"
		"                           versions need moved with them\n"
		"    --locked               fail rather than make or change the lock\n"
		"    --mirror URL           where \"distro:debian\" is fetched from, rather than KILN_MIRROR\n"
		"                           or this host's own apt sources; \"URL SECURITY-URL\" for both\n"
		"    --snapshot TIMESTAMP   take everything from the archives as they were at that moment,\n"
		"                           YYYYMMDDTHHMMSSZ. The lock records it, and later fetches go\n"
		"                           there again; --update without --snapshot and names returns\n"
		"    --snapshot-archive URL where such archives are, rather than KILN_SNAPSHOT or what the\n"
		"                           archive's Release file or this host's apt says; with\n"
		"                           @SNAPSHOTID@ where the moment goes, and @PATH@ for \"debian\" or\n"
		"                           \"debian-security\"\n",
};
