/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_TESTS_UNIT_DEB_PACKAGE_H
#define KILN_TESTS_UNIT_DEB_PACKAGE_H

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "factory/base/buf.h"
#include "factory/base/error.h"
#include "factory/model/lock.h"
#include "rootfs/packages/store.h"

/* Binary packages for tests, deb(5), put into a store. */
struct deb_entry {
	const char *name;
	mode_t type;			/* AE_IFREG, AE_IFLNK, AE_IFDIR; 0: a hard link; others as they are */
	const char *content;		/* or the link's target */
};

static inline void deb_add_entry(struct archive *tar, const struct deb_entry *e)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, e->name);
	archive_entry_set_filetype(entry, e->type ? e->type : AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	if (e->type == AE_IFREG)
		archive_entry_set_size(entry, (int64_t)strlen(e->content));
	else if (e->type == AE_IFLNK)
		archive_entry_set_symlink(entry, e->content);
	else if (!e->type)
		archive_entry_set_hardlink(entry, e->content);
	if (archive_write_header(tar, entry) != ARCHIVE_OK)
		abort();
	if (e->type == AE_IFREG && archive_write_data(tar, e->content, strlen(e->content)) < 0)
		abort();
	archive_entry_free(entry);
}

static inline void deb_add_member(struct buf *deb, const char *name, const void *data, size_t size)
{
	char header[61];

	snprintf(header, sizeof(header), "%-16s%-12d%-6d%-6d%-8s%-10zu`\n", name, 0, 0, 0, "100644",
		 size);
	if (buf_add(deb, header, 60) < 0 || buf_add(deb, data, size) < 0 || buf_align(deb, 2) < 0)
		abort();
}

static inline void deb_add_tar(struct buf *deb, const char *name, int filter,
			       const struct deb_entry *entries, size_t count)
{
	static char bytes[1 << 20];
	struct archive *tar = archive_write_new();
	size_t used = 0;

	if (archive_write_add_filter(tar, filter) != ARCHIVE_OK ||
	    archive_write_set_format_gnutar(tar) != ARCHIVE_OK ||
	    archive_write_open_memory(tar, bytes, sizeof(bytes), &used) != ARCHIVE_OK)
		abort();
	for (size_t i = 0; i < count; i++)
		deb_add_entry(tar, &entries[i]);
	if (archive_write_close(tar) != ARCHIVE_OK)
		abort();
	archive_write_free(tar);
	deb_add_member(deb, name, bytes, used);
}

/* Of test_1.0_amd64 with this control file; *ret needs lock_free()'s care only where it was copied. */
static inline void deb_store(const struct store *store, const char *control, int filter,
			     const struct deb_entry *entries, size_t count, struct locked_package *ret)
{
	const struct deb_entry control_entry = { "./control", AE_IFREG, control };
	struct buf deb = BUF_INIT(4 << 20);
	struct error err = ERROR_INIT;

	if (buf_add_string(&deb, "!<arch>\n") < 0)
		abort();
	deb_add_member(&deb, "debian-binary", "2.0\n", 4);
	deb_add_tar(&deb, "control.tar.xz", ARCHIVE_FILTER_XZ, &control_entry, 1);
	deb_add_tar(&deb, "data.tar.any", filter, entries, count);
	*ret = (struct locked_package){
		.name = (char *)"test", .version = (char *)"1.0", .architecture = (char *)"amd64",
		.repository = (char *)"r", .path = (char *)"pool/test.deb", .size = deb.len,
	};
	if (store_add_bytes(store, deb.data, deb.len, ret->sha256, &err) < 0)
		abort();
	buf_free(&deb);
}

#endif
