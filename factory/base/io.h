/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_IO_H
#define KILN_BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "buf.h"

struct error;

/* Paths. Results are malloc'ed; lack of memory aborts (xmalloc's contract). */
char *path_join(const char *dir, const char *name);
char *path_directory(const char *path);		/* "." for a name alone */
char *string_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *string_copy(const char *text);

/* A whole file, in place of what *ret held. -EFBIG names the limit. */
int io_read_file(const char *path, size_t max, struct buf *ret, struct error *err);
/* Appears whole or not at all: temporary name beside it, fsync, rename. Replaces. */
int io_write_file(const char *path, const void *data, size_t size, mode_t mode, struct error *err);
/* Likewise, unless the file has these bytes already: then its time stamp stays. */
int io_update_file(const char *path, const void *data, size_t size, mode_t mode, struct error *err);
/* A read-only view of a regular file. An empty file gives size 0 and a valid pointer. */
struct io_map {
	const uint8_t *data;
	size_t size;
};
int io_map_file(const char *path, struct io_map *ret, struct error *err);
void io_unmap(struct io_map *map);
#define CLEANUP_IO_MAP __attribute__((cleanup(io_unmap)))

/* Full transfers on descriptors, at an offset, retried over EINTR. A short read is an error. */
int io_pread_full(int fd, void *data, size_t size, uint64_t offset, const char *name, struct error *err);
int io_pwrite_full(int fd, const void *data, size_t size, uint64_t offset, const char *name,
		   struct error *err);
/* Copies `size` bytes (UINT64_MAX: to the end), skipping holes (SEEK_DATA) so they stay holes: the
 * target must be fresh there. It is extended to the end of what was copied. */
int io_copy_range(int from, uint64_t from_offset, int to, uint64_t to_offset, uint64_t size,
		  const char *name, struct error *err);
/*
 * The next stretch of data at or after `offset`, as the file system tells it (SEEK_DATA), clipped to `end`;
 * *ret_start = *ret_end = end when only a hole is left. Where holes are not known all is data. Moves the
 * descriptor's file position, which nothing here uses; so several threads may ask at once.
 */
int io_next_data(int fd, uint64_t offset, uint64_t end, uint64_t *ret_start, uint64_t *ret_end,
		 const char *name, struct error *err);
/* A sparse copy of a whole file under a new name (which must not exist); fsynced. */
int io_copy_file(const char *from, const char *to, mode_t mode, struct error *err);

/* Directories. */
int io_mkdirs(const char *path, mode_t mode, struct error *err);
int io_remove_tree(const char *path, struct error *err);	/* missing is success; never follows links */
bool io_exists(const char *path);
/* fsync of a directory, so that a rename in it lasts. */
int io_sync_dir(const char *path, struct error *err);

/*
 * A private scratch directory DIR/kiln-scratch-PID-XXXXXX, held by a lock while its owner lives:
 * io_scratch_new() first sweeps those in DIR whose owner is gone (killed), so nothing heaps up.
 * Freed = removed.
 */
struct scratch {
	char *path;
	int lock;
};
#define SCRATCH_INIT { .path = NULL, .lock = -1 }
int io_scratch_new(const char *dir, struct scratch *ret, struct error *err);
void io_scratch_free(struct scratch *s);
#define CLEANUP_SCRATCH __attribute__((cleanup(io_scratch_free)))

/* An exclusive advisory lock on `path` (created), waiting for it; *ret is the descriptor to close. */
int io_lock(const char *path, int *ret, struct error *err);

/* ${KILN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln}, created; malloc'ed. */
int io_cache_dir(char **ret, struct error *err);

#endif
