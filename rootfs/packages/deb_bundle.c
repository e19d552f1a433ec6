/* SPDX-License-Identifier: Apache-2.0 */
#include "deb_bundle.h"

#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/base/process.h"
#include "../../factory/base/workers.h"
#include "../../factory/model/lock.h"
#include "../../factory/model/memory.h"
#include "archive_failure.h"
#include "deb_file.h"

/* What ends an archive: pax(1), "ustar Interchange Format". */
#define END_SIZE 1024

static void archive_freep(struct archive **a)
{
	if (*a)
		(void)archive_write_free(*a);
}
#define CLEANUP_ARCHIVE __attribute__((cleanup(archive_freep)))

/*
 * Each package becomes an archive of its own, in a file that has no name, several at a time; they are
 * put together in order. Decompressing is nearly all of the work.
 */
struct part {
	const struct locked_package *package;
	int fd;
	struct error err;
};

struct bundle {
	const struct store *store;
	const char *const *skipped;
	struct part *parts;		/* in the order of the archive; the last is of the extras */
	size_t count;
	size_t *order;			/* of work */
};

static void bundle_clear(struct bundle *b)
{
	for (size_t i = 0; i < b->count; i++)
		cleanup_close(&b->parts[i].fd);
	free(b->parts);
	free(b->order);
}
#define CLEANUP_BUNDLE __attribute__((cleanup(bundle_clear)))

static int write_error(struct archive *tar, struct error *err)
{
	return archive_failure(tar, "the archive of packages", "cannot be written", err);
}

/* Without padding behind the end of the archive: it is cut off later. */
static int open_archive(int fd, struct archive **ret, struct error *err)
{
	CLEANUP_ARCHIVE struct archive *tar = archive_write_new();

	if (!tar)
		error_no_memory();
	if (archive_write_set_format_pax_restricted(tar) != ARCHIVE_OK ||
	    archive_write_add_filter_none(tar) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(tar, 1) != ARCHIVE_OK ||
	    archive_write_open_fd(tar, fd) != ARCHIVE_OK)
		return write_error(tar, err);
	*ret = TAKE_PTR(tar);
	return 0;
}

/* ---------------------------------------------------------------- one package */

static bool is_skipped(const struct bundle *bundle, const char *name)
{
	for (const char *const *prefix = bundle->skipped; *prefix; prefix++)
		if (strncmp(name, *prefix, strlen(*prefix)) == 0)
			return true;
	return false;
}

static int copy_data(struct archive *tar, struct deb_file *deb, struct error *err)
{
	const void *block;
	size_t size;
	int64_t offset;
	int r;

	while ((r = archive_read_data_block(deb->tar, &block, &size, &offset)) == ARCHIVE_OK)
		if (archive_write_data(tar, block, size) != (ssize_t)size)
			return write_error(tar, err);
	return r == ARCHIVE_EOF ? 0 : deb_file_error(deb, err);
}

static int add_entry(struct archive *tar, struct deb_file *deb, struct archive_entry *entry,
		     struct error *err)
{
	/* By number alone: the names would be looked up in the appliance's own passwd. */
	archive_entry_copy_uname(entry, NULL);
	archive_entry_copy_gname(entry, NULL);
	if (archive_write_header(tar, entry) < ARCHIVE_WARN)
		return write_error(tar, err);
	if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry))
		return 0;
	return copy_data(tar, deb, err);
}

static int add_package(const struct bundle *bundle, const struct part *part, struct error *err)
{
	CLEANUP_DEB_FILE struct deb_file deb = DEB_FILE_INIT;
	CLEANUP_ARCHIVE struct archive *tar = NULL;
	struct archive_entry *entry;
	const char *name;
	int r = process_check_interrupt(err);

	if (r == 0)
		r = deb_file_open(bundle->store, part->package, "data.tar", &deb, err);
	if (r == 0)
		r = open_archive(part->fd, &tar, err);
	if (r < 0)
		return r;
	while ((r = deb_file_next(&deb, &entry, &name, err)) > 0) {
		/* The tree's own root is the caller's. */
		if (!*name || is_skipped(bundle, name))
			continue;
		r = add_entry(tar, &deb, entry, err);
		if (r < 0)
			return r;
	}
	if (r == 0 && archive_write_close(tar) != ARCHIVE_OK)
		r = write_error(tar, err);
	return r;
}

static void add_piece(void *arg, size_t piece)
{
	struct bundle *bundle = arg;
	struct part *part = &bundle->parts[bundle->order[piece]];

	(void)add_package(bundle, part, &part->err);
}

/* ---------------------------------------------------------------- extras */

static int add_extra(struct archive *tar, const struct deb_bundle_extra *extra, struct error *err)
{
	const bool link = S_ISLNK(extra->mode), file = S_ISREG(extra->mode);
	size_t size = !file ? 0 : extra->size ? extra->size : strlen(extra->content);
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
	r = archive_write_header(tar, entry);
	archive_entry_free(entry);
	if (r < ARCHIVE_WARN ||
	    (size > 0 && archive_write_data(tar, extra->content, size) != (ssize_t)size))
		return write_error(tar, err);
	return 0;
}

static int add_extras(const struct part *part, const struct deb_bundle_extra *extras, struct error *err)
{
	CLEANUP_ARCHIVE struct archive *tar = NULL;
	int r = open_archive(part->fd, &tar, err);

	for (; extras->path && r == 0; extras++)
		r = add_extra(tar, extras, err);
	if (r == 0 && archive_write_close(tar) != ARCHIVE_OK)
		r = write_error(tar, err);
	return r;
}

/* ---------------------------------------------------------------- the whole */

static int open_part(const char *path, int *ret, struct error *err)
{
	CLEANUP_FREE char *name = string_printf("%s.part", path);

	*ret = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (*ret < 0 || unlink(name) < 0)
		return error_system(err, errno, "%s", name);
	return 0;
}

/* Long ones are begun first, so that the last to end is a short one. */
static void sort_by_size(struct bundle *b)
{
	for (size_t i = 0; i + 1 < b->count; i++) {
		size_t k = i;

		for (; k > 0 && b->parts[b->order[k - 1]].package->size < b->parts[i].package->size; k--)
			b->order[k] = b->order[k - 1];
		b->order[k] = i;
	}
}

static int make_parts(struct bundle *b, const struct lock_set *set, const char *first, const char *path,
		      struct error *err)
{
	size_t n = 0;
	int r = 0;

	b->parts = memory_new((set->count + 1) * sizeof(*b->parts));
	b->order = memory_new((set->count + 1) * sizeof(*b->order));
	for (size_t i = 0; first && i < set->count; i++)
		if (strcmp(set->packages[i].name, first) == 0)
			b->parts[n++].package = &set->packages[i];
	for (size_t i = 0; i < set->count; i++)
		if (!first || strcmp(set->packages[i].name, first) != 0)
			b->parts[n++].package = &set->packages[i];
	for (; b->count <= set->count && r == 0; b->count++)
		r = open_part(path, &b->parts[b->count].fd, err);
	sort_by_size(b);
	return r;
}

static int append_part(const struct part *part, bool last, int to, uint64_t *offset, const char *path,
		       struct error *err)
{
	struct stat st;
	uint64_t size;
	int r;

	if (part->err.kind != ERROR_NONE) {
		*err = part->err;
		return -err->code;
	}
	if (fstat(part->fd, &st) < 0)
		return error_system(err, errno, "%s", path);
	size = (uint64_t)st.st_size - (last ? 0 : END_SIZE);
	r = io_copy_range(part->fd, 0, to, *offset, size, path, err);
	if (r == 0)
		*offset += size;
	return r;
}

int deb_bundle(const struct store *store, const struct lock_set *set, const char *first,
	       const char *const *skipped, const struct deb_bundle_extra *extras, const char *path,
	       struct error *err)
{
	CLEANUP_BUNDLE struct bundle bundle = { .store = store, .skipped = skipped };
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	uint64_t offset = 0;
	int r;

	if (fd < 0)
		return error_system(err, errno, "%s", path);
	r = make_parts(&bundle, set, first, path, err);
	if (r < 0)
		return r;
	workers_run(set->count, add_piece, &bundle);
	r = add_extras(&bundle.parts[set->count], extras, err);
	for (size_t i = 0; i < bundle.count && r == 0; i++)
		r = append_part(&bundle.parts[i], i + 1 == bundle.count, fd, &offset, path, err);
	return r;
}
