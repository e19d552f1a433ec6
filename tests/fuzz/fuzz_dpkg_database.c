/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "factory/base/cleanup.h"
#include "factory/base/error.h"
#include "rootfs/packages/dpkg_database.h"

/* Four texts between NUL bytes: two packages' control files, conffiles and triggers of both. */

static int swallow(void *context, const char *path, mode_t mode, const void *data, size_t size, struct error *err)
{
	size_t *total = context;

	(void)mode;
	(void)err;
	if (path[0] == '/' || (size > 0 && !data))
		abort();
	*total += size;
	return 0;
}

struct pieces {
	const char *text[4];
	size_t size[4];
};

static void split(const uint8_t *data, size_t size, struct pieces *ret)
{
	for (unsigned int i = 0; i < 4; i++) {
		const uint8_t *end = size ? memchr(data, 0, size) : NULL;
		size_t n = end ? (size_t)(end - data) : size;

		ret->text[i] = (const char *)data;
		ret->size[i] = n;
		n += end != NULL;
		data += n;
		size -= n;
	}
}

static int add_package(struct dpkg_database *db, const struct pieces *p, unsigned int which, struct error *err)
{
	int r = dpkg_database_begin(db, (struct text){ p->text[which], p->size[which] }, err);

	if (r == 0)
		r = dpkg_database_member(db, "conffiles", p->text[2], p->size[2], err);
	if (r == 0)
		r = dpkg_database_member(db, "triggers", p->text[3], p->size[3], err);
	if (r == 0)
		r = dpkg_database_path(db, "", NULL, err);
	if (r == 0)
		r = dpkg_database_path(db, "etc/a", dpkg_database_wants_md5(db, "etc/a") ?
				       "d41d8cd98f00b204e9800998ecf8427e" : NULL, err);
	return r < 0 ? r : dpkg_database_end(db, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_DPKG_DATABASE struct dpkg_database *db = dpkg_database_new();
	struct error err = ERROR_INIT;
	struct pieces p;
	size_t total = 0;
	int r;

	split(data, size, &p);
	r = add_package(db, &p, 0, &err);
	if (r == 0)
		r = add_package(db, &p, 1, &err);
	if (r == 0 && dpkg_database_replaces(db, 1, 0))
		dpkg_database_lose(db, 0, "etc/a");
	if (r == 0)
		r = dpkg_database_each(db, swallow, &total, &err);
	if (r == 0 && total == 0)
		abort();
	return 0;
}
