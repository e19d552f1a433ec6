/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_PACKAGES_DPKG_DATABASE_H
#define KILN_ROOTFS_PACKAGES_DPKG_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "stanza.h"

struct error;

/*
 * dpkg's database of a tree into which every package of a set has been unpacked and none configured:
 * what "dpkg --unpack" of all of them at once leaves in var/lib/dpkg, so that "dpkg --configure
 * --pending" can go on from there. Configuration files lie in place already and not as NAME.dpkg-new,
 * which dpkg takes as done.
 *
 * Fed package by package: begin, every other member of control.tar, every path of data.tar, end.
 */
struct dpkg_database;
struct dpkg_database *dpkg_database_new(void);
void dpkg_database_free(struct dpkg_database *db);
void dpkg_database_freep(struct dpkg_database **db);
#define CLEANUP_DPKG_DATABASE __attribute__((cleanup(dpkg_database_freep)))

/* `control` is the text of the package's control file, copied. ERROR_OUTSIDE names the package. */
int dpkg_database_begin(struct dpkg_database *db, struct text control, struct error *err);
/* "postinst", "conffiles", "triggers", ...: copied. */
int dpkg_database_member(struct dpkg_database *db, const char *name, const void *data, size_t size,
			 struct error *err);
/* Does the database hold the MD5 of the file that the current package brings as `path`? */
bool dpkg_database_wants_md5(const struct dpkg_database *db, const char *path);
/* A path of the current package, without "/" at either end ("" is the root); md5 as hexadecimal
 * digits where wanted. */
int dpkg_database_path(struct dpkg_database *db, const char *path, const char *md5, struct error *err);
int dpkg_database_end(struct dpkg_database *db, struct error *err);

/* May package number `by` (in the order of beginning) take over files of number `of`? deb-control(5)
 * "Replaces", by name. */
bool dpkg_database_replaces(const struct dpkg_database *db, size_t by, size_t of);
/* A package loses a path to one that replaces it. */
void dpkg_database_lose(struct dpkg_database *db, size_t package, const char *path);
const char *dpkg_database_name(const struct dpkg_database *db, size_t package);
size_t dpkg_database_count(const struct dpkg_database *db);

/* Calls `each` for every file of the database: path without a leading "/", permissions, contents. Stops at
 * and returns the first error. */
typedef int (*dpkg_database_fn)(void *context, const char *path, mode_t mode, const void *data,
				size_t size, struct error *err);
int dpkg_database_each(const struct dpkg_database *db, dpkg_database_fn each, void *context,
		       struct error *err);

#endif
