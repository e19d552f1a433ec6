/* SPDX-License-Identifier: Apache-2.0 */
#include "ustar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../factory/base/buf.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/format/tar.h"
#include "../factory/model/memory.h"

/* A header, or the padding of one file. */
#define RECORDS_MAX (8 * TAR_RECORD)

struct ustar {
	char *path;
	int fd;
	uint64_t offset;
};

int ustar_create(const char *path, struct ustar **ret, struct error *err)
{
	struct ustar *u = memory_new(sizeof(*u));

	u->path = string_copy(path);
	u->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (u->fd < 0) {
		int r = error_system(err, errno, "cannot create %s", path);

		ustar_free(u);
		return r;
	}
	*ret = u;
	return 0;
}

static int put(struct ustar *u, const void *data, size_t size, struct error *err)
{
	int r = io_pwrite_full(u->fd, data, size, u->offset, u->path, err);

	u->offset += size;
	return r;
}

int ustar_add(struct ustar *u, const char *name, mode_t mode, const void *data, size_t size,
	      struct error *err)
{
	const struct tar_member member = { .path = name, .type = TAR_FILE, .mode = mode, .size = size };
	CLEANUP_BUF struct buf records = BUF_INIT(RECORDS_MAX);
	int r = tar_add_header(&records, &member);

	if (r < 0 || records.len != TAR_RECORD)
		return error_input(err, "%s: \"%s\" is no name for a ustar archive", u->path, name);
	r = put(u, records.data, records.len, err);
	if (r == 0)
		r = put(u, data, size, err);
	if (r < 0)
		return r;
	/* Zeros are what lies in a gap. */
	u->offset += (TAR_RECORD - size % TAR_RECORD) % TAR_RECORD;
	return 0;
}

int ustar_finish(struct ustar *u, struct error *err)
{
	static const uint8_t end[2 * TAR_RECORD];

	return put(u, end, sizeof(end), err);
}

void ustar_free(struct ustar *u)
{
	if (!u)
		return;
	if (u->fd >= 0)
		(void)close(u->fd);
	free(u->path);
	free(u);
}

void ustar_freep(struct ustar **u)
{
	ustar_free(*u);
}
