/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include "../base/cleanup.h"
#include "../base/io.h"
#include "memory.h"

struct artifact {
	char *name, *path, *id;
};

struct artifacts {
	struct artifact *items;
	size_t count;
};

struct artifacts *artifacts_new(void)
{
	return memory_new(sizeof(struct artifacts));
}

static void artifact_clear(struct artifact *a)
{
	free(a->name);
	free(a->path);
	free(a->id);
}

void artifacts_free(struct artifacts *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->count; i++)
		artifact_clear(&set->items[i]);
	free(set->items);
	free(set);
}

void artifacts_freep(struct artifacts **set)
{
	artifacts_free(*set);
}

static struct artifact *find(const struct artifacts *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->items[i].name, name) == 0)
			return &set->items[i];
	return NULL;
}

void artifacts_add(struct artifacts *set, const char *name, const char *path, const char *id)
{
	struct artifact new = { string_copy(name), string_copy(path), string_copy(id) };
	struct artifact *a = find(set, name);

	if (a)
		artifact_clear(a);
	else
		a = memory_append(&set->items, set->count++, sizeof(*a));
	*a = new;
}

const char *artifacts_path(const struct artifacts *set, const char *name)
{
	const struct artifact *a = find(set, name);

	return a ? a->path : NULL;
}

const char *artifacts_id(const struct artifacts *set, const char *name)
{
	const struct artifact *a = find(set, name);

	return a ? a->id : NULL;
}

int stage_scratch(const struct stage_context *ctx, struct scratch *ret, struct error *err)
{
	CLEANUP_FREE char *tmp = path_join(ctx->cache, "tmp");
	int r = io_mkdirs(tmp, 0755, err);

	return r < 0 ? r : io_scratch_new(tmp, ret, err);
}
