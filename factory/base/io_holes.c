/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "error.h"
#include "io.h"

int io_next_data(int fd, uint64_t offset, uint64_t end, uint64_t *ret_start, uint64_t *ret_end,
		 const char *name, struct error *err)
{
	off_t start = lseek(fd, (off_t)offset, SEEK_DATA);
	off_t stop;

	if (start < 0 && errno == ENXIO) {	/* nothing but a hole is left */
		*ret_start = *ret_end = end;
		return 0;
	}
	if (start < 0 && errno == EINVAL) {	/* a file system that knows no holes */
		*ret_start = offset;
		*ret_end = end;
		return 0;
	}
	if (start < 0)
		return error_system(err, errno, "cannot find the data of %s", name);
	stop = lseek(fd, start, SEEK_HOLE);
	if (stop < 0)
		return error_system(err, errno, "cannot find the holes of %s", name);
	*ret_start = (uint64_t)start < end ? (uint64_t)start : end;
	*ret_end = (uint64_t)stop < end ? (uint64_t)stop : end;
	return 0;
}
