/* SPDX-License-Identifier: Apache-2.0 */
#include "moddep.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/error.h"

/* Real chains are under ten long; the limit keeps a hostile file from exhausting the stack. */
#define DEPTH_MAX 64

enum mark { UNSEEN, OPEN, LISTED };

/* One line of modules.dep. */
struct module {
	const char *path; /* in index.text */
	const char *dependencies; /* in index.text, separated by blanks */
	enum mark mark;
};

struct index {
	char *text; /* a copy, cut into strings */
	struct module *modules;
	size_t count;
};

static void index_free(struct index *index)
{
	free(index->text);
	free(index->modules);
}

void moddep_list_free(struct moddep_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->paths[i]);
	free(list->paths);
	*list = (struct moddep_list){NULL, 0};
}

static int no_memory(struct error *err)
{
	return error_system(err, ENOMEM, "cannot sort modules");
}

/* "kernel/drivers/md/dm-mod.ko.xz" and "dm_mod" are the same module. `size` bytes of path. */
static bool module_named(const char *path, size_t size, const char *name)
{
	const char *slash = memrchr(path, '/', size);
	const char *base = slash ? slash + 1 : path;
	const char *end = path + size;

	for (; base < end && *name; base++, name++) {
		char a = *base == '-' ? '_' : *base, b = *name == '-' ? '_' : *name;

		if (a != b)
			return false;
	}
	return *name == '\0' && end - base >= 3 && memcmp(base, ".ko", 3) == 0 &&
	       (end - base == 3 || base[3] == '.');
}

static bool builtin_has(const char *modules_builtin, const char *name)
{
	const char *line = modules_builtin;

	while (*line) {
		size_t len = strcspn(line, "\n");

		if (module_named(line, len, name))
			return true;
		line += len + (line[len] == '\n');
	}
	return false;
}

static struct module *find_by_name(const struct index *index, const char *name)
{
	for (size_t i = 0; i < index->count; i++)
		if (module_named(index->modules[i].path, strlen(index->modules[i].path), name))
			return &index->modules[i];
	return NULL;
}

static struct module *find_by_path(const struct index *index, const char *path, size_t size)
{
	for (size_t i = 0; i < index->count; i++)
		if (strncmp(index->modules[i].path, path, size) == 0 &&
		    index->modules[i].path[size] == '\0')
			return &index->modules[i];
	return NULL;
}

static size_t count_lines(const char *text)
{
	size_t lines = 1;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

/* Cuts "path: dependency dependency". */
static int parse_line(char *line, size_t number, struct module *ret, struct error *err)
{
	char *colon = strchr(line, ':');

	if (!colon || colon == line || memchr(line, ' ', (size_t)(colon - line)))
		return error_input(err, "modules.dep:%zu: not \"path: dependencies\"", number);
	*colon = '\0';
	*ret = (struct module){.path = line, .dependencies = colon + 1};
	return 0;
}

static int index_build(const char *modules_dep, struct index *ret, struct error *err)
{
	size_t lines = count_lines(modules_dep);
	char *line, *next;

	ret->text = strdup(modules_dep);
	ret->modules = calloc(lines, sizeof(*ret->modules));
	if (!ret->text || !ret->modules)
		return no_memory(err);
	next = ret->text;
	for (size_t number = 1; (line = strsep(&next, "\n")); number++) {
		int r;

		if (line[0] == '\0')
			continue;
		r = parse_line(line, number, &ret->modules[ret->count], err);
		if (r < 0)
			return r;
		ret->count++;
	}
	return 0;
}

/* The list has room for every module of the index, and each is added once. */
static int list_add(struct moddep_list *list, const char *path, struct error *err)
{
	char *copy = strdup(path);

	if (!copy)
		return no_memory(err);
	list->paths[list->count++] = copy;
	return 0;
}

static int visit(struct index *index, struct module *module, unsigned int depth,
		 struct moddep_list *list, struct error *err);

static int visit_dependencies(struct index *index, const struct module *module, unsigned int depth,
			      struct moddep_list *list, struct error *err)
{
	const char *p = module->dependencies;

	for (p += strspn(p, " "); *p; p += strspn(p, " ")) {
		size_t len = strcspn(p, " ");
		struct module *dependency = find_by_path(index, p, len);
		int r;

		if (!dependency)
			return error_input(err,
					   "modules.dep: \"%s\" needs \"%.*s\", which has no "
					   "line of its own",
					   module->path, (int)len, p);
		r = visit(index, dependency, depth + 1, list, err);
		if (r < 0)
			return r;
		p += len;
	}
	return 0;
}

/*
 * Depth first, so that the result does not rest on the order in which depmod writes the
 * dependencies of a line.
 */
static int visit(struct index *index, struct module *module, unsigned int depth,
		 struct moddep_list *list, struct error *err)
{
	int r;

	if (module->mark == LISTED)
		return 0;
	if (module->mark == OPEN)
		return error_input(err, "modules.dep: \"%s\" depends on itself", module->path);
	if (depth > DEPTH_MAX)
		return error_input(err, "modules.dep: \"%s\" ends a chain of more than %d modules",
				   module->path, DEPTH_MAX);
	module->mark = OPEN;
	r = visit_dependencies(index, module, depth, list, err);
	if (r < 0)
		return r;
	module->mark = LISTED;
	return list_add(list, module->path, err);
}

int moddep_resolve(const char *modules_dep, const char *modules_builtin, const char *const *names,
		   struct moddep_list *ret, struct error *err)
{
	__attribute__((cleanup(index_free))) struct index index = {NULL, NULL, 0};
	CLEANUP_MODDEP_LIST struct moddep_list list = {NULL, 0};
	int r = index_build(modules_dep, &index, err);

	if (r < 0)
		return r;
	list.paths = calloc(index.count + 1, sizeof(*list.paths));
	if (!list.paths)
		return no_memory(err);
	for (; *names; names++) {
		struct module *module;

		if (builtin_has(modules_builtin, *names))
			continue;
		module = find_by_name(&index, *names);
		if (!module)
			return error_input(err,
					   "this kernel has no module \"%s\", neither in "
					   "modules.dep nor in modules.builtin",
					   *names);
		r = visit(&index, module, 0, &list, err);
		if (r < 0)
			return r;
	}
	*ret = list;
	list = (struct moddep_list){NULL, 0};
	return 0;
}
