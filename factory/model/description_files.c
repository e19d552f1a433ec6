/* SPDX-License-Identifier: Apache-2.0 */
#include "description_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/io.h"
#include "description.h"

int files_find(const char *directory, const char *path, enum files_kind kind, char **ret,
	       struct error *err)
{
	CLEANUP_FREE char *joined = NULL, *resolved = NULL;
	struct stat st;

	if (!directory) {
		*ret = string_copy(path);
		return 0;
	}
	joined = *path == '/' ? string_copy(path) : path_join(directory, path);
	resolved = realpath(joined, NULL);
	if (!resolved || stat(resolved, &st) < 0)
		return error_input(err, "%s: %s", path, strerror(errno));
	if (kind == FILES_DIRECTORY ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode))
		return error_input(err, "%s is not a %s", path,
				   kind == FILES_DIRECTORY ? "directory" : "regular file");
	*ret = TAKE_PTR(resolved);
	return 0;
}

/* ---------------------------------------------------------------- the description */

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n > m && strcmp(name + n - m, suffix) == 0;
}

static int find_single(const char *directory, char **ret, struct error *err)
{
	CLEANUP_CLOSEDIR DIR *dir = opendir(directory);
	CLEANUP_FREE char *name = NULL;
	const struct dirent *e;

	if (!dir)
		return error_input(err, "%s: %s", directory, strerror(errno));
	while ((e = readdir(dir))) {
		if (!has_suffix(e->d_name, ".kiwi"))
			continue;
		if (name)
			return error_input(err, "%s: more than one *.kiwi and none is appliance.kiwi",
					   directory);
		name = string_copy(e->d_name);
	}
	if (!name)
		return error_input(err, "%s: no image description (appliance.kiwi or config.xml)",
				   directory);
	*ret = path_join(directory, name);
	return 0;
}

int files_description(const char *directory, char **ret, struct error *err)
{
	static const char *const names[] = { "appliance.kiwi", "config.xml" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP_FREE char *path = path_join(directory, names[i]);

		if (io_exists(path)) {
			*ret = TAKE_PTR(path);
			return 0;
		}
	}
	return find_single(directory, ret, err);
}

/* ---------------------------------------------------------------- scripts and overlay */

/* What KIWI honours by its mere presence, and what to do in its place. */
static const struct {
	const char *name, *instead;
} refused[] = {
	{ "post_bootstrap.sh", "use config.sh" },
	{ "config-overlay.sh", "use config.sh" },
	{ "config-host-overlay.sh", "use config.sh" },
	{ "pre_disk_sync.sh", "use images.sh" },
	{ "disk.sh", "use images.sh" },
	{ "root.tar", "unpack it as root/" },
	{ "root.tar.gz", "unpack it as root/" },
	{ "root.tar.xz", "unpack it as root/" },
	{ "root.tar.bz2", "unpack it as root/" },
	{ "root.tar.zst", "unpack it as root/" },
};

static int check_refused(const char *directory, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		CLEANUP_FREE char *path = path_join(directory, refused[i].name);
		struct stat st;

		if (lstat(path, &st) == 0)
			return error_input(err, "%s is not supported: %s", path, refused[i].instead);
	}
	return 0;
}

static int find_script(const char *directory, const char *name, char **ret, struct error *err)
{
	CLEANUP_FREE char *path = path_join(directory, name);
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : error_input(err, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_input(err, "%s is not a regular file", path);
	/* A copy that broke off, more likely than a wish to do nothing. */
	if (st.st_size == 0)
		return error_input(err, "%s is empty: fill it or remove it", path);
	*ret = TAKE_PTR(path);
	return 0;
}

static int find_overlay(const char *directory, char **ret, struct error *err)
{
	CLEANUP_FREE char *path = path_join(directory, "root");
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : error_input(err, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return error_input(err, "%s is not a directory", path);
	*ret = TAKE_PTR(path);
	return 0;
}

int files_beside(struct description *d, struct error *err)
{
	int r = check_refused(d->directory, err);

	if (r == 0)
		r = find_script(d->directory, "config.sh", &d->config_script, err);
	if (r == 0)
		r = find_script(d->directory, "images.sh", &d->images_script, err);
	if (r == 0)
		r = find_overlay(d->directory, &d->overlay, err);
	return r;
}
