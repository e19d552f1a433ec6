/* SPDX-License-Identifier: Apache-2.0 */
#include "store_export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/digest.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/log.h"
#include "../factory/base/process.h"
#include "../factory/model/memory.h"
#include "packages/image_lock.h"
#include "packages/store.h"
#include "packages/store_needs.h"
#include "store_archive.h"
#include "ustar.h"

#define MIB (1 << 20)

struct exporter {
	const struct store *store;
	const struct store_needs *needs;
	struct ustar *archive;
	uint64_t done, total; /* bytes of objects */
};

/* Before the first byte is written. */
static int check_there(struct exporter *export, struct error *err)
{
	for (size_t i = 0; i < export->needs->count; i++) {
		const struct store_need *need = &export->needs->items[i];
		CLEANUP_FREE char *path = store_path(export->store, need->sha256);
		struct stat st;

		if (!store_has(export->store, need->sha256) || stat(path, &st) < 0)
			return error_outside(err,
					     "%s (SHA-256 %s) is not in the store: run kiln fetch",
					     need->name, need->sha256);
		export->total += (uint64_t)st.st_size;
	}
	return 0;
}

/* ---------------------------------------------------------------- members */

static int by_name(const void *a, const void *b)
{
	const struct image_lock *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static int add_locks(struct exporter *export, const struct image_locks *locks, struct error *err)
{
	CLEANUP_FREE const struct image_lock **sorted =
		memory_new((locks->count + 1) * sizeof(*sorted));
	int r = 0;

	for (size_t i = 0; i < locks->count; i++)
		sorted[i] = &locks->items[i];
	qsort(sorted, locks->count, sizeof(*sorted), by_name);
	for (size_t i = 0; r == 0 && i < locks->count; i++) {
		CLEANUP_FREE char *name = store_archive_lock_path(sorted[i]->name);

		r = ustar_add(export->archive, name, 0644, sorted[i]->text.data,
			      sorted[i]->text.len, err);
	}
	return r;
}

static int add_object(struct exporter *export, const struct store_need *need, struct error *err)
{
	CLEANUP_FREE char *path = store_path(export->store, need->sha256);
	CLEANUP_FREE char *name = store_archive_object_path(need->sha256);
	CLEANUP_IO_MAP struct io_map map = {.data = NULL};
	char found[2 * DIGEST_MAX + 1];
	struct digest digest;
	int r;

	r = process_check_interrupt(err);
	if (r == 0)
		r = io_map_file(path, &map, err);
	if (r < 0)
		return r;
	digest_of(DIGEST_SHA256, map.data, map.size, &digest);
	digest_hex(&digest, found);
	if (strcmp(found, need->sha256) != 0)
		return error_outside(err,
				     "%s is damaged in the store (%s has SHA-256 %s): run kiln fetch",
				     need->name, path, found);
	r = ustar_add(export->archive, name, 0444, map.data, map.size, err);
	export->done += map.size;
	log_step_update(export->done / MIB, (export->total + MIB - 1) / MIB, "MiB");
	return r;
}

static int add_members(struct exporter *export, const struct image_locks *locks, struct error *err)
{
	int r = add_locks(export, locks, err);

	for (size_t i = 0; r == 0 && i < export->needs->count; i++)
		r = add_object(export, &export->needs->items[i], err);
	return r < 0 ? r : ustar_finish(export->archive, err);
}

/* ---------------------------------------------------------------- the file */

static int write_archive(struct exporter *export, const struct image_locks *locks, const char *path,
			 struct error *err)
{
	CLEANUP_USTAR struct ustar *archive = NULL;
	int r = ustar_create(path, &archive, err);

	if (r < 0)
		return r;
	export->archive = archive;
	log_step_begin(1, 1, "write the archive");
	r = add_members(export, locks, err);
	log_step_end(r < 0 ? "failed" : "done");
	return r;
}

/* A stick is pulled out as soon as the command has ended: the bytes first, then the name. */
static int publish(const char *from, const char *to, const char *dir, uint64_t *ret_size,
		   struct error *err)
{
	CLEANUP_CLOSE int fd = open(from, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fsync(fd) < 0 || fstat(fd, &st) < 0)
		return error_system(err, errno, "cannot bring %s to the disk", to);
	if (rename(from, to) < 0)
		return error_system(err, errno, "cannot create %s", to);
	*ret_size = (uint64_t)st.st_size;
	return io_sync_dir(dir, err);
}

int store_export(const struct store *s, const struct image_locks *locks, const char *path,
		 struct store_export_result *ret, struct error *err)
{
	CLEANUP_STORE_NEEDS struct store_needs needs = {.items = NULL};
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_FREE char *dir = path_directory(path), *made = NULL;
	struct exporter export = {.store = s, .needs = &needs};
	struct stat st;
	uint64_t size = 0;
	int r;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return error_input(err,
				   "%s is there and is no regular file: name the archive to write",
				   path);
	store_needs_make(locks, &needs);
	r = check_there(&export, err);
	if (r == 0)
		r = io_scratch_new(dir, &scratch, err);
	if (r < 0)
		return r;
	made = path_join(scratch.path, "archive");
	r = write_archive(&export, locks, made, err);
	if (r == 0)
		r = publish(made, path, dir, &size, err);
	if (r < 0)
		return error_wrap(err, "%s", path);
	*ret = (struct store_export_result){.count = needs.count, .size = size};
	return 0;
}
