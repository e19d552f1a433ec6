/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../rootfs/packages/image_lock.h"
#include "../rootfs/packages/store.h"
#include "../rootfs/packages/store_gc.h"
#include "../rootfs/packages/store_needs.h"
#include "../rootfs/packages/store_verify.h"
#include "../rootfs/store_export.h"
#include "../rootfs/store_import.h"
#include "base/arguments.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "commands.h"
#include "full_disk.h"
#include "base/size_text.h"

/* A hundred years. */
#define DAYS_MAX 36500
#define DAY 86400
#define TEXT_MAX 1000

static const struct command verb_verify, verb_export, verb_import, verb_gc;

static int open_store(bool alone, struct store **ret, struct error *err)
{
	CLEANUP_FREE char *cache = NULL;
	int r = io_cache_dir(&cache, err);

	if (r < 0)
		return r;
	return alone ? store_open_alone(cache, ret, err) : store_open(cache, ret, err);
}

static int read_locks(const struct operands *places, struct image_locks *ret, struct error *err)
{
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < places->count; i++)
		r = image_locks_add(ret, places->items[i], err);
	return r;
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

/* ---------------------------------------------------------------- verify */

static void print_findings(const struct store_findings *findings, size_t counts[static STORE_FAULTS])
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct store_finding *f = &findings->items[i];

		printf("%-8s %s: %s%s%s\n", store_fault_names[f->fault], f->name, f->path,
		       f->why ? ": " : "", f->why ? f->why : "");
		counts[f->fault]++;
	}
}

static int judge(const struct store_findings *findings, bool removed, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
	size_t counts[STORE_FAULTS] = { 0 };
	const char *remedy = "";
	int r = 0;

	print_findings(findings, counts);
	if (findings->count == 0) {
		printf("%zu object%s: each is what its name says\n", findings->checked,
		       plural(findings->checked));
		return 0;
	}
	for (unsigned int i = 0; r == 0 && i < STORE_FAULTS; i++)
		if (counts[i])
			r = buf_printf(&text, "%s%zu %s", text.len ? ", " : "", counts[i], store_fault_names[i]);
	if (r < 0)
		return error_system(err, r, "what is wrong with the store");
	if (counts[STORE_DAMAGED] && !removed)
		remedy = "; \"kiln fetch\" and \"kiln store import\" replace what their lock names, "
			 "--remove takes away what is damaged";
	else if (counts[STORE_DAMAGED] || counts[STORE_MISSING])
		remedy = "; \"kiln fetch\" and \"kiln store import\" bring what their lock names";
	return error_verdict(err, "of %zu object%s%s: %s%s", findings->checked, plural(findings->checked),
			     removed && counts[STORE_DAMAGED] ? ", and the damaged are removed" : "",
			     buf_text(&text), remedy);
}

static int verify_store(const struct operands *places, bool remove, struct error *err)
{
	CLEANUP_IMAGE_LOCKS struct image_locks locks = IMAGE_LOCKS_INIT;
	CLEANUP_STORE_NEEDS struct store_needs needs = {.items = NULL};
	CLEANUP_STORE_FINDINGS struct store_findings findings = {.items = NULL};
	CLEANUP_STORE struct store *store = NULL;
	int r;

	r = read_locks(places, &locks, err);
	if (r == 0)
		r = open_store(remove, &store, err);
	if (r < 0)
		return r;
	store_needs_make(&locks, &needs);
	r = store_verify(store, places->count ? &needs : NULL, &findings, err);
	if (r == 0 && remove)
		r = store_remove_damaged(&findings, err);
	return r < 0 ? r : judge(&findings, remove, err);
}

static int verify(int argc, char **argv, struct error *err)
{
	struct operands places;
	bool remove = false;
	int r;

	const struct argument table[] = {
		{ .name = "remove", .kind = ARGUMENT_FLAG, .target = &remove },
		{ .name = NULL },
	};

	r = arguments_parse(&verb_verify, table, argc, argv, "description's directory", 0, UINT_MAX,
			    &places, err);
	return r < 0 ? r : verify_store(&places, remove, err);
}

/* ---------------------------------------------------------------- export */

static int export_images(const char *path, char *const *images, struct error *err)
{
	CLEANUP_IMAGE_LOCKS struct image_locks locks = IMAGE_LOCKS_INIT;
	CLEANUP_STORE struct store *store = NULL;
	struct store_export_result result;
	char size[SIZE_TEXT_MAX];
	int r = 0;

	for (; r == 0 && *images; images++)
		r = image_locks_add_described(&locks, *images, err);
	if (r == 0)
		r = open_store(false, &store, err);
	if (r == 0)
		r = store_export(store, &locks, path, &result, err);
	if (r < 0)
		return r;
	size_text(result.size, size);
	printf("%s: %zu lock%s, %zu objects, %s\n", path, locks.count, plural(locks.count), result.count,
	       size);
	return 0;
}

static int export(int argc, char **argv, struct error *err)
{
	static const struct argument table[] = { { .name = NULL } };
	struct operands operands;
	int r;

	r = arguments_parse(&verb_export, table, argc, argv, "archive or the description's directory", 2,
			    UINT_MAX, &operands, err);
	return r < 0 ? r : export_images(operands.items[0], operands.items + 1, err);
}

/* ---------------------------------------------------------------- import */

static void print_import(const char *path, const struct store_import_result *result)
{
	char size[SIZE_TEXT_MAX];

	size_text(result->size, size);
	printf("%s: %zu objects, %s, of which the store lacked %zu\n", path, result->count, size,
	       result->fresh);
	for (size_t i = 0; i < result->locks.count; i++) {
		const struct image_lock *lock = &result->locks.items[i];

		if (lock->path)
			printf("%s\n", lock->path);
		else
			printf("the lock of \"%s\" stays in the archive: name the description's directory to "
			       "have it put there\n", lock->name);
	}
}

static int import(int argc, char **argv, struct error *err)
{
	CLEANUP_STORE_IMPORT_RESULT struct store_import_result result = {.count = 0};
	static const struct argument table[] = { { .name = NULL } };
	CLEANUP_FREE char *cache = NULL;
	CLEANUP_STORE struct store *store = NULL;
	struct operands operands;
	int r;

	r = arguments_parse(&verb_import, table, argc, argv, "archive", 1, UINT_MAX, &operands, err);
	if (r == 0)
		r = io_cache_dir(&cache, err);
	if (r == 0)
		r = store_open(cache, &store, err);
	if (r < 0)
		return r;
	r = store_import(store, operands.items[0], operands.items + 1, &result, err);
	if (r < 0)
		return full_disk_explain_cache(cache, err);
	print_import(operands.items[0], &result);
	return 0;
}

/* ---------------------------------------------------------------- gc */

static void print_garbage(const struct store_garbage *garbage, bool dry_run)
{
	size_t kept = garbage->list.count - garbage->count;
	char size[SIZE_TEXT_MAX];

	for (size_t i = 0; i < garbage->count; i++) {
		const struct store_object *object = &garbage->list.objects[i];

		size_text(object->size, size);
		printf("%.12s  %10s  %s\n", object->sha256, size, object->name ? object->name : "");
	}
	size_text(garbage->size, size);
	printf("%zu object%s %s, %s; ", garbage->count, plural(garbage->count),
	       dry_run ? "would be removed" : "removed", size);
	size_text(garbage->kept_size, size);
	printf("%zu stay%s, %s\n", kept, kept == 1 ? "s" : "", size);
}

static int collect(const struct operands *places, unsigned int days, struct store_gc_options *options,
		   struct error *err)
{
	CLEANUP_IMAGE_LOCKS struct image_locks locks = IMAGE_LOCKS_INIT;
	CLEANUP_STORE_NEEDS struct store_needs needs = {.items = NULL};
	CLEANUP_STORE_GARBAGE struct store_garbage garbage = {.list = STORE_LIST_INIT};
	CLEANUP_STORE struct store *store = NULL;
	int r;

	/* Every lock before anything: one that cannot be read must not cost its packages. */
	r = read_locks(places, &locks, err);
	if (r == 0)
		r = open_store(!options->dry_run, &store, err);
	if (r < 0)
		return r;
	store_needs_make(&locks, &needs);
	options->keep = &needs;
	options->has_before = days > 0;
	(void)clock_gettime(CLOCK_REALTIME, &options->before);	/* fails for no clock of this name */
	options->before.tv_sec -= (time_t)days * DAY;
	r = store_gc(store, options, &garbage, err);
	if (r == 0)
		print_garbage(&garbage, options->dry_run);
	return r;
}

static int gc(int argc, char **argv, struct error *err)
{
	struct store_gc_options options = { .keep = NULL };
	struct operands places;
	unsigned int days = 0;
	int r;

	const struct argument table[] = {
		{ .name = "older-than", .kind = ARGUMENT_NUMBER, .target = &days, .least = 1, .most = DAYS_MAX },
		{ .name = "dry-run", .letter = 'n', .kind = ARGUMENT_FLAG, .target = &options.dry_run },
		{ .name = NULL },
	};

	r = arguments_parse(&verb_gc, table, argc, argv, "description's directory", 0, UINT_MAX, &places,
			    err);
	if (r < 0)
		return r;
	if (places.count == 0 && days == 0)
		return error_input(err, "kiln store gc: name the images whose packages are to stay, or how long "
					"the others stay with --older-than DAYS; usage: kiln store gc %s",
				   verb_gc.usage);
	return collect(&places, days, &options, err);
}

/* ---------------------------------------------------------------- the verbs */

static const struct command verb_verify = {
	.name = "store verify",
	.run = verify,
	.usage = "[IMAGE...] [--remove]",
};
static const struct command verb_export = {
	.name = "store export",
	.run = export,
	.usage = "FILE DIR...",
};
static const struct command verb_import = {
	.name = "store import",
	.run = import,
	.usage = "FILE [DIR...]",
};
static const struct command verb_gc = {
	.name = "store gc",
	.run = gc,
	.usage = "[IMAGE...] [--older-than DAYS] [-n]",
};

static int store(int argc, char **argv, struct error *err)
{
	static const struct command *const verbs[] = { &verb_verify, &verb_export, &verb_import, &verb_gc };

	if (argc < 2)
		return error_input(err, "kiln store: the verb is missing; usage: kiln store %s",
				   command_store.usage);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(verbs[i]->name + strlen("store "), argv[1]) == 0)
			return verbs[i]->run(argc - 1, argv + 1, err);
	return error_input(err, "kiln store: unknown verb \"%s\"; usage: kiln store %s", argv[1],
			   command_store.usage);
}

const struct command command_store = {
	.name = "store",
	.run = store,
	.summary = "check and clear the store of packages, and carry it to a machine without a network",
	.usage = "verify|export|import|gc ...",
	.help =
		"The store in the cache holds the packages of all images by their digests.\n"
		"\n"
		"    kiln store verify [IMAGE...] [--remove]\n"
		"        reads every object, or those that the images need, and names each that is damaged or\n"
		"        missing: exit code 1. --remove takes away what is damaged.\n"
		"\n"
		"    kiln store export FILE DIR...\n"
		"        writes one tar archive with the locks of the descriptions in DIR and all they need.\n"
		"        The same locks give the same bytes.\n"
		"\n"
		"    kiln store import FILE [DIR...]\n"
		"        takes such an archive into the store, once every object in it has proved to be what a\n"
		"        lock in it says, and writes DIR/kiln.lock for the descriptions named. A lock that is\n"
		"        there and says something else is not replaced.\n"
		"\n"
		"    kiln store gc [IMAGE...] [--older-than DAYS] [-n]\n"
		"        removes what none of the images needs; with --older-than only what no fetch, build or\n"
		"        test has used for that long. One of the two must be given: Kiln does not know where all\n"
		"        your images lie. Waits until nobody else uses the store. -n, --dry-run prints what\n"
		"        would go.\n"
		"\n"
		"IMAGE is a description's directory with a kiln.lock, or a lock file; DIR a description's\n"
		"directory. To build where there is no network:\n"
		"\n"
		"    kiln fetch DIR && kiln store export /media/stick/kiln.tar DIR      here\n"
		"    kiln store import /media/stick/kiln.tar DIR && kiln build DIR      there\n",
};
