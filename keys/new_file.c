/* SPDX-License-Identifier: Apache-2.0 */
#include "new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"

int new_file_write(const char *path, const void *data, size_t size, mode_t mode, struct error *err)
{
	CLEANUP_FREE char *directory = path_directory(path);
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	int r;

	if (fd < 0 && errno == EEXIST)
		return error_input(err, "%s is there already, and keys are never overwritten", path);
	if (fd < 0)
		return error_system(err, errno, "cannot create %s", path);
	r = io_pwrite_full(fd, data, size, 0, path, err);
	if (r == 0 && fsync(fd) < 0)
		r = error_system(err, errno, "cannot write %s to disk", path);
	if (r < 0) {
		(void)unlink(path);
		return r;
	}
	return io_sync_dir(directory, err);
}

/* ---------------------------------------------------------------- directories */

int new_directory_begin(const char *target, mode_t mode, struct new_directory *ret, struct error *err)
{
	CLEANUP_FREE char *parent = NULL;
	size_t len = strlen(target);
	int r;

	while (len > 1 && target[len - 1] == '/')
		len--;
	ret->target = string_printf("%.*s", (int)len, target);
	parent = path_directory(ret->target);
	r = io_scratch_new(parent, &ret->scratch, err);
	if (r < 0)
		return r;
	ret->path = path_join(ret->scratch.path, "new");
	if (mkdir(ret->path, mode) < 0)
		return error_system(err, errno, "%s", ret->path);
	return 0;
}

int new_directory_finish(struct new_directory *d, struct error *err)
{
	CLEANUP_FREE char *parent = path_directory(d->target);

	/* Takes the place of an empty directory and of nothing else. */
	if (rename(d->path, d->target) < 0) {
		if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR)
			return error_input(err, "%s is there already, and is not overwritten: choose another directory",
					   d->target);
		return error_system(err, errno, "cannot create %s", d->target);
	}
	return io_sync_dir(parent, err);
}

void new_directory_free(struct new_directory *d)
{
	io_scratch_free(&d->scratch);
	free(d->path);
	free(d->target);
}
