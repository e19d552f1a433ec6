/* SPDX-License-Identifier: Apache-2.0 */
#include "deb_file.h"

#include <archive_entry.h>
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/format/ar.h"
#include "../../factory/model/lock.h"
#include "archive_failure.h"
#include "store.h"

int deb_file_error(const struct deb_file *file, struct error *err)
{
	CLEANUP_FREE char *what = string_printf("package %s", file->name);

	return archive_failure(file->tar, what, "not a tar archive", err);
}

static int open_tar(struct deb_file *file, const char *member, struct error *err)
{
	struct ar_member found;
	int r;

	r = ar_find(file->map.data, file->map.size, member, &found, err);
	if (r < 0)
		return error_wrap(err, "package %s", file->name);
	file->tar = archive_read_new();
	if (!file->tar)
		error_no_memory();
	/* dpkg's own set of formats and compressions and no others: libarchive knows stranger ones. */
	(void)archive_read_support_format_tar(file->tar);
	(void)archive_read_support_filter_gzip(file->tar);
	(void)archive_read_support_filter_xz(file->tar);
	(void)archive_read_support_filter_zstd(file->tar);
	if (archive_read_open_memory(file->tar, found.data, found.size) != ARCHIVE_OK)
		return deb_file_error(file, err);
	return 0;
}

int deb_file_open(const struct store *store, const struct locked_package *package,
		  const char *member, struct deb_file *ret, struct error *err)
{
	CLEANUP_DEB_FILE struct deb_file file = DEB_FILE_INIT;
	CLEANUP_FREE char *path = NULL;
	int r;

	file.name = package->name;
	r = store_verified(store, package->sha256, package->name, &path, err);
	if (r < 0)
		return r;
	r = io_map_file(path, &file.map, err);
	if (r == 0)
		r = open_tar(&file, member, err);
	if (r < 0)
		return r;
	*ret = file;
	file = (struct deb_file)DEB_FILE_INIT;
	return 0;
}

int deb_file_next(struct deb_file *file, struct archive_entry **ret, const char **ret_name,
		  struct error *err)
{
	const char *name;
	int r;

	r = archive_read_next_header(file->tar, ret);
	if (r == ARCHIVE_EOF)
		return 0;
	if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
		return deb_file_error(file, err);
	name = archive_entry_pathname(*ret);
	if (!name)
		return error_outside(err, "package %s: an entry has no name", file->name);
	while (strncmp(name, "./", 2) == 0)
		name += 2;
	*ret_name = name;
	return 1;
}

void deb_file_close(struct deb_file *file)
{
	if (file->tar)
		(void)archive_read_free(file->tar);
	io_unmap(&file->map);
	*file = (struct deb_file)DEB_FILE_INIT;
}
