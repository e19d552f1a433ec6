/* SPDX-License-Identifier: Apache-2.0 */
#include "deb_index.h"

#include <inttypes.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/model/lock.h"
#include "deb_file.h"
#include "stanza.h"
#include "store.h"

#define INDEX_MAX (64 << 20)
#define CONTROL_MAX (1 << 20)

static int read_entry(struct deb_file *file, struct buf *ret, struct error *err)
{
	const void *block;
	size_t size;
	la_int64_t offset;
	int r;

	while ((r = archive_read_data_block(file->tar, &block, &size, &offset)) == ARCHIVE_OK)
		if (buf_add(ret, block, size) < 0)
			return error_outside(err, "package %s: its control file is too long",
					     file->name);
	return r == ARCHIVE_EOF ? 0 : deb_file_error(file, err);
}

static int read_control(const struct store *store, const struct locked_package *package,
			struct buf *ret, struct error *err)
{
	CLEANUP_DEB_FILE struct deb_file file = DEB_FILE_INIT;
	struct archive_entry *entry;
	const char *name;
	int r;

	r = deb_file_open(store, package, "control.tar", &file, err);
	if (r < 0)
		return r;
	while ((r = deb_file_next(&file, &entry, &name, err)) > 0)
		if (strcmp(name, "control") == 0)
			return read_entry(&file, ret, err);
	if (r == 0)
		r = error_outside(err, "package %s: has no control file", package->name);
	return r;
}

/* apt installs what the index says; the lock, which people read, must not say something else. */
static int check_control(const struct locked_package *package, struct text control,
			 struct error *err)
{
	const struct {
		const char *field, *locked;
	} facts[] = {
		{"Package", package->name},
		{"Version", package->version},
		{"Architecture", package->architecture},
	};
	struct text value;

	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		if (!stanza_field(control, facts[i].field, &value) ||
		    !text_equal(value, facts[i].locked))
			return error_outside(err,
					     "package %s: the lock says %s: %s, the package itself "
					     "does not",
					     package->name, facts[i].field, facts[i].locked);
	return 0;
}

int deb_index_add(const struct store *store, const struct locked_package *package,
		  struct buf *index, struct error *err)
{
	CLEANUP_BUF struct buf bytes = BUF_INIT(CONTROL_MAX);
	size_t before = index->len;
	struct text rest, control;
	int r;

	r = read_control(store, package, &bytes, err);
	if (r < 0)
		return r;
	rest = (struct text){buf_text(&bytes), bytes.len};
	if (!stanza_next(&rest, &control))
		return error_outside(err, "package %s: its control file is empty", package->name);
	r = check_control(package, control, err);
	if (r < 0)
		return r;
	while (control.size > 0 && control.data[control.size - 1] == '\n')
		control.size--;
	r = buf_add(index, control.data, control.size);
	if (r == 0)
		r = buf_printf(index, "\nFilename: %s\nSize: %" PRIu64 "\nSHA256: %s\n\n",
			       package->path, package->size, package->sha256);
	if (r < 0) {
		buf_truncate(index, before);
		return error_system(err, r, "index of packages");
	}
	return 0;
}

int deb_index(const struct store *store, const struct lock_set *set, char ret_sha256[static 65],
	      struct error *err)
{
	CLEANUP_BUF struct buf index = BUF_INIT(INDEX_MAX);

	for (size_t i = 0; i < set->count; i++) {
		int r = deb_index_add(store, &set->packages[i], &index, err);

		if (r < 0)
			return r;
	}
	return store_add_bytes(store, buf_text(&index), index.len, ret_sha256, err);
}

/* ---------------------------------------------------------------- checking one */

static int check_listed(const struct locked_package *package, struct text stanza, struct error *err)
{
	CLEANUP_FREE char *size = string_printf("%" PRIu64, package->size);
	const struct {
		const char *field, *locked;
	} facts[] = {
		{"Package", package->name},
		{"Version", package->version},
		{"Architecture", package->architecture},
		{"Filename", package->path},
		{"Size", size},
		{"SHA256", package->sha256},
	};
	struct text value = {"", 0};

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		if (!stanza_field(stanza, facts[i].field, &value) ||
		    !text_equal(value, facts[i].locked))
			return error_input(err, "for %s the lock has %s: %s, its index %.*s",
					   package->name, facts[i].field, facts[i].locked,
					   (int)value.size, value.data);
	return 0;
}

int deb_index_check(const struct lock_set *set, struct text index, struct error *err)
{
	struct text stanza, name = {"", 0};

	for (size_t i = 0; i < set->count; i++) {
		int r;

		if (!stanza_next(&index, &stanza))
			return error_input(err, "%s is not in the lock's index",
					   set->packages[i].name);
		r = check_listed(&set->packages[i], stanza, err);
		if (r < 0)
			return r;
	}
	if (!stanza_next(&index, &stanza))
		return 0;
	(void)stanza_field(stanza, "Package", &name);
	return error_input(err, "the lock's index also has %.*s", (int)name.size, name.data);
}
