/* SPDX-License-Identifier: Apache-2.0 */
#include "compare_image.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "model/manifest.h"
#include "model/run.h"

void compare_image_clear(struct compare_image *image)
{
	free(image->name);
	free(image->disk);
	free(image->directory);
	free(image->packages);
	free(image->tree);
	*image = (struct compare_image) { .name = NULL };
}

/* Where the build's run.json says that it should be in the cache; NULL if it is not there (any more). */
static char *find_tree(const char *directory, const char *cache)
{
	CLEANUP_FREE char *facts = path_join(directory, RUN_FILE), *tree = NULL;
	struct error ignored = ERROR_INIT;
	char key[65];

	if (!io_exists(facts) || run_read_key(facts, "tree", key, &ignored) < 0)
		return NULL;
	tree = string_printf("%s/stages/tree/%s/root.tar", cache, key);
	return io_exists(tree) ? TAKE_PTR(tree) : NULL;
}

/* "RESULT.packages" beside "RESULT.raw". */
static char *find_packages(const char *directory, const char *disk_file)
{
	const char *end = strrchr(disk_file, '.');
	CLEANUP_FREE char *name = NULL, *path = NULL;

	if (!end)
		return NULL;
	name = string_printf("%.*s.packages", (int)(end - disk_file), disk_file);
	path = path_join(directory, name);
	return io_exists(path) ? TAKE_PTR(name) : NULL;
}

static int open_directory(const char *path, const char *cache, struct compare_image *image,
			  struct error *err)
{
	CLEANUP_FREE char *manifest_path = path_join(path, "manifest.json");
	CLEANUP_MANIFEST struct manifest *manifest = NULL;
	int r;

	if (!io_exists(manifest_path))
		return error_input(err, "%s holds no manifest.json, so it is no directory of results", path);
	r = manifest_read(manifest_path, &manifest, err);
	if (r < 0)
		return r;
	image->directory = string_copy(path);
	image->disk = path_join(path, manifest->disk_file);
	image->packages = find_packages(path, manifest->disk_file);
	image->tree = cache ? find_tree(path, cache) : NULL;
	return 0;
}

int compare_image_open(const char *path, const char *cache, struct compare_image *ret, struct error *err)
{
	CLEANUP_COMPARE_IMAGE struct compare_image image = { .name = string_copy(path) };
	struct stat st;
	int r = 0;

	if (stat(path, &st) < 0)
		return errno == ENOENT ? error_input(err, "%s: there is no such file", path)
				       : error_system(err, errno, "%s", path);
	if (S_ISDIR(st.st_mode))
		r = open_directory(path, cache, &image, err);
	else
		image.disk = string_copy(path);
	if (r < 0)
		return r;
	*ret = image;
	image = (struct compare_image) { .name = NULL };
	return 0;
}
