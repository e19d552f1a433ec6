/* SPDX-License-Identifier: Apache-2.0 */
#include "deb_bundle.h"

#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "../../factory/base/error.h"
#include "../../factory/base/log.h"
#include "../../factory/base/process.h"
#include "../../factory/model/lock.h"
#include "deb_file.h"

static void archive_freep(struct archive **a)
{
	if (*a)
		(void)archive_write_free(*a);
}
#define CLEANUP_ARCHIVE __attribute__((cleanup(archive_freep)))

struct bundle {
	struct archive *tar;
	const char *path;
	const char *const *skipped;
};

static int write_error(const struct bundle *bundle, struct error *err)
{
	const char *why = archive_error_string(bundle->tar);

	return error_outside(err, "%s: %s", bundle->path, why ? why : "cannot be written");
}

static bool is_skipped(const struct bundle *bundle, const char *name)
{
	for (const char *const *prefix = bundle->skipped; *prefix; prefix++)
		if (strncmp(name, *prefix, strlen(*prefix)) == 0)
			return true;
	return false;
}

static int copy_data(const struct bundle *bundle, struct deb_file *deb, struct error *err)
{
	const void *block;
	size_t size;
	int64_t offset;
	int r;

	while ((r = archive_read_data_block(deb->tar, &block, &size, &offset)) == ARCHIVE_OK)
		if (archive_write_data(bundle->tar, block, size) != (ssize_t)size)
			return write_error(bundle, err);
	return r == ARCHIVE_EOF ? 0 : deb_file_error(deb, err);
}

static int add_entry(const struct bundle *bundle, struct deb_file *deb, struct archive_entry *entry,
		     struct error *err)
{
	/* By number alone: the names would be looked up in the appliance's own passwd. */
	archive_entry_copy_uname(entry, NULL);
	archive_entry_copy_gname(entry, NULL);
	if (archive_write_header(bundle->tar, entry) < ARCHIVE_WARN)
		return write_error(bundle, err);
	if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry))
		return 0;
	return copy_data(bundle, deb, err);
}

static int add_package(const struct bundle *bundle, const struct store *store,
		       const struct locked_package *package, struct error *err)
{
	CLEANUP_DEB_FILE struct deb_file deb = DEB_FILE_INIT;
	struct archive_entry *entry;
	const char *name;
	int r;

	r = process_check_interrupt(err);
	if (r == 0)
		r = deb_file_open(store, package, "data.tar", &deb, err);
	if (r < 0)
		return r;
	while ((r = deb_file_next(&deb, &entry, &name, err)) > 0) {
		/* The tree's own root is the caller's. */
		if (!*name || is_skipped(bundle, name))
			continue;
		r = add_entry(bundle, &deb, entry, err);
		if (r < 0)
			return r;
	}
	return r;
}

static int add_packages(const struct bundle *bundle, const struct store *store,
			const struct lock_set *set, const char *first, struct error *err)
{
	int r = 0;

	for (size_t i = 0; first && i < set->count && r == 0; i++)
		if (strcmp(set->packages[i].name, first) == 0)
			r = add_package(bundle, store, &set->packages[i], err);
	for (size_t i = 0; i < set->count && r == 0; i++) {
		if (!first || strcmp(set->packages[i].name, first) != 0)
			r = add_package(bundle, store, &set->packages[i], err);
		log_step_update(i + 1, set->count, "packages");
	}
	return r;
}

static int add_extra(const struct bundle *bundle, const struct deb_bundle_extra *extra, struct error *err)
{
	const bool link = S_ISLNK(extra->mode), file = S_ISREG(extra->mode);
	size_t size = file ? strlen(extra->content) : 0;
	struct archive_entry *entry = archive_entry_new();
	int r;

	if (!entry)
		error_no_memory();
	archive_entry_copy_pathname(entry, extra->path);
	archive_entry_set_mode(entry, extra->mode);
	archive_entry_set_size(entry, (int64_t)size);
	archive_entry_set_mtime(entry, 0, 0);
	if (link)
		archive_entry_copy_symlink(entry, extra->content);
	r = archive_write_header(bundle->tar, entry);
	archive_entry_free(entry);
	if (r < ARCHIVE_WARN ||
	    (size > 0 && archive_write_data(bundle->tar, extra->content, size) != (ssize_t)size))
		return write_error(bundle, err);
	return 0;
}

int deb_bundle(const struct store *store, const struct lock_set *set, const char *first,
	       const char *const *skipped, const struct deb_bundle_extra *extras, const char *path,
	       struct error *err)
{
	CLEANUP_ARCHIVE struct archive *tar = archive_write_new();
	const struct bundle bundle = { .tar = tar, .path = path, .skipped = skipped };
	int r;

	if (!tar)
		error_no_memory();
	if (archive_write_set_format_pax_restricted(tar) != ARCHIVE_OK ||
	    archive_write_add_filter_none(tar) != ARCHIVE_OK ||
	    archive_write_open_filename(tar, path) != ARCHIVE_OK)
		return write_error(&bundle, err);
	r = add_packages(&bundle, store, set, first, err);
	for (; extras->path && r == 0; extras++)
		r = add_extra(&bundle, extras, err);
	if (r < 0)
		return r;
	return archive_write_close(tar) == ARCHIVE_OK ? 0 : write_error(&bundle, err);
}
