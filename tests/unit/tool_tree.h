/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_TESTS_UNIT_TOOL_TREE_H
#define KILN_TESTS_UNIT_TOOL_TREE_H

#include <dirent.h>

#include "rootfs/toolbox.h"
#include "tests/unit/stage_fixture.h"

/* The pinned tools, which lie in the cache once anything was built (`make check` does so first). */
__attribute__((unused))
static char *tool_tree_find(void)
{
	CLEANUP_FREE char *cache = NULL, *stages = NULL;
	CLEANUP_CLOSEDIR DIR *d = NULL;
	struct error err = ERROR_INIT;
	const struct dirent *e;

	need(io_cache_dir(&cache, &err) == 0, "cache: %s", err.message);
	stages = path_join(cache, "stages/tools");
	d = opendir(stages);
	while (d && (e = readdir(d))) {
		CLEANUP_FREE char *tree = string_printf("%s/%s/" TOOLBOX_TREE, stages, e->d_name);

		if (e->d_name[0] != '.' && io_exists(tree))
			return TAKE_PTR(tree);
	}
	need(false, "the pinned tools in %s: build an image first", stages);
	return NULL;
}

__attribute__((unused))
static void tool_tree_add(struct fixture *f)
{
	CLEANUP_FREE char *tree = tool_tree_find();

	artifacts_add(f->artifacts, TOOLBOX_TREE, tree, TOOLBOX_TREE);
}

#endif
