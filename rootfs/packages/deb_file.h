/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_DEB_FILE_H
#define KILN_ROOTFS_PACKAGES_DEB_FILE_H

#include <archive.h>

#include "../../factory/base/io.h"

struct error;
struct locked_package;
struct store;

/* One of the two tar archives in a .deb, deb(5), open for reading by libarchive. */
struct deb_file {
	struct io_map map;
	struct archive *tar;
	const char *name;		/* the package's, for messages; borrowed */
};
#define DEB_FILE_INIT { .tar = NULL }

/* `member` is "control.tar" or "data.tar". The object's digest has been checked when this succeeds. */
int deb_file_open(const struct store *store, const struct locked_package *package, const char *member,
		  struct deb_file *ret, struct error *err);
/* The next entry: 1, or 0 at the end. Its name is without "./" in front. */
int deb_file_next(struct deb_file *file, struct archive_entry **ret, const char **ret_name,
		  struct error *err);
/* libarchive's last complaint as an error. */
int deb_file_error(const struct deb_file *file, struct error *err);
void deb_file_close(struct deb_file *file);
#define CLEANUP_DEB_FILE __attribute__((cleanup(deb_file_close)))

#endif
