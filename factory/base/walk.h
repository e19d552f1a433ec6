/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_WALK_H
#define KILN_BASE_WALK_H

struct error;
struct stat;

/*
 * Calls `visit` for `path`, and if that is a directory for everything below it: a directory before what is in it,
 * in the order of the names' bytes, never in that of the file system or a locale. `name` is what `path` is called;
 * what lies below gets names below that ("" gives names without a prefix). Links are visited, not followed; only
 * `path` itself may be reached through one. Ends at the first visit that fails.
 */
typedef int (*walk_visit)(void *arg, const char *path, const char *name, const struct stat *st,
			  struct error *err);
int walk_tree(const char *path, const char *name, walk_visit visit, void *arg, struct error *err);

/* A visit that adds what the file takes on its disk, in bytes, to the uint64_t at `arg`. */
int walk_add_usage(void *arg, const char *path, const char *name, const struct stat *st, struct error *err);

#endif
