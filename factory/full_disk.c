/* SPDX-License-Identifier: Apache-2.0 */
#include "full_disk.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/error.h"

#define NEARLY_FULL ((uint64_t)16 << 20)

/* A tool's words are the C library's, and what it had written in a scratch directory may be gone by now. */
static bool speaks_of_no_space(const struct error *err)
{
	return err->code == ENOSPC || err->code == EDQUOT || strstr(err->message, "No space left on device");
}

/*
 * Many a tool says only that it failed when the disk is full; where what it had written is still there, a look at the
 * file system tells.
 */
int full_disk_explain(const char *directory, const char *remedy, struct error *err)
{
	struct statvfs fs;
	uint64_t left;

	/* Who was interrupted has no need of it, however little is left. */
	if (err->code == EINTR || statvfs(directory, &fs) < 0)
		return -err->code;
	left = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (!speaks_of_no_space(err) && left >= NEARLY_FULL)
		return -err->code;
	return error_wrap(err, "the disk is full: %s has %ju MiB left; %s", directory, (uintmax_t)(left >> 20), remedy);
}

int full_disk_explain_cache(const char *cache, struct error *err)
{
	return full_disk_explain(cache,
				 "make room there, set KILN_CACHE to a directory on another disk, lower KILN_CACHE_SIZE, or run \"kiln store gc\"",
				 err);
}
