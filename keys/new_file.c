/* SPDX-License-Identifier: Apache-2.0 */
#include "new_file.h"

#include <errno.h>
#include <fcntl.h>
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
