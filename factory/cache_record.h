/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_CACHE_RECORD_H
#define KILN_FACTORY_CACHE_RECORD_H

#include <stdint.h>

struct buf;
struct error;

/*
 * Texts (base/fields.h) about a stage's outputs: NULL-terminated names of files and trees in `directory`. Both have
 * a line for everything in them; the buffers must have no limit.
 */

/*
 * What they are: kind, path, and of files the size and the data digest (base/data_digest.h), of links the target.
 * The same for the same outputs, wherever and whenever they were made: a file's mode counts as far as it makes a
 * program of it, since the rest depends on the umask.
 */
int cache_record_contents(const char *directory, const char *const *outputs, struct buf *ret,
			  struct error *err);

/*
 * What the file system says of them without reading them: kind, path, size, inode, and the times of the last write
 * and of the last change of anything. Who writes to a file can set the first time back, but not the second.
 */
int cache_record_stamps(const char *directory, const char *const *outputs, struct buf *ret,
			struct error *err);

/* What they take on the disk, in bytes. */
int cache_record_usage(const char *directory, const char *const *outputs, uint64_t *ret,
		       struct error *err);

/*
 * What is wrong with outputs of which `now` is said and of which `then` was said when they were made (texts of
 * cache_record_contents()), naming the first file: "root.erofs has another size". NULL when they are equal; malloc'ed.
 */
char *cache_record_difference(const struct buf *then, const struct buf *now);

#endif
