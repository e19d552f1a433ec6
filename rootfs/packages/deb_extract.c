/* SPDX-License-Identifier: Apache-2.0 */
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/model/lock.h"
#include "deb_file.h"
#include "deb_place.h"
#include "packages.h"

int deb_extract(const struct store *store, const struct locked_package *package, const char *prefix,
		const char *directory, struct error *err)
{
	CLEANUP_DEB_FILE struct deb_file deb = DEB_FILE_INIT;
	CLEANUP_CLOSE int root = -1;
	struct archive_entry *entry;
	const char *name;
	int r;

	r = deb_file_open(store, package, "data.tar", &deb, err);
	if (r == 0)
		r = io_mkdirs(directory, 0755, err);
	if (r < 0)
		return r;
	root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return error_system(err, errno, "%s", directory);
	while ((r = deb_file_next(&deb, &entry, &name, err)) > 0) {
		/* Directories come into being with what is in them. */
		if (archive_entry_filetype(entry) == AE_IFDIR ||
		    strncmp(name, prefix, strlen(prefix)) != 0)
			continue;
		r = deb_place(&deb, entry, name, root, err);
		if (r < 0)
			return r;
	}
	return r;
}
