/* SPDX-License-Identifier: Apache-2.0 */
#include "sets.h"

#include <stdlib.h>
#include <string.h>

#include "../../factory/base/io.h"
#include "../../factory/model/architecture.h"
#include "../../factory/model/description.h"
#include "../../factory/model/memory.h"

/*
 * apt counts itself among the essential packages; by its control file it is not one, and an image
 * has no use for it unless its description says so.
 */
#define ESSENTIAL "?and(?essential,?not(?exact-name(apt)))"

#define NAMES_MAX 24

static const struct set_rule {
	enum package_reach reach;
	const char *names[NAMES_MAX];
} rules[LOCK_SETS] = {
	[LOCK_IMAGE] = { REACH_CLOSURE, { ESSENTIAL } },
	[LOCK_BOOT] = { REACH_ALONE, { "systemd-boot-efi" } },
	/* Only for programs: without one the set is empty. */
	[LOCK_SYSROOT] = { REACH_CLOSURE, { "libc6-dev", "linux-libc-dev" } },
	/* And the compiler. What each stage takes of it: stages/tools.c, builder.c. */
	[LOCK_BUILDER] = { REACH_CLOSURE,
			   { ESSENTIAL, "apt", "dosfstools", "e2fsprogs", "erofs-utils", "kmod", "mount",
			     "mtools", "passwd", "zstd" } },
	/* Behind the metapackage stands the kernel of the day. */
	[LOCK_APPLIANCE] = { REACH_BEHIND, { NULL } },
	[LOCK_FIRMWARE] = { REACH_ALONE, { NULL } },
};

/* What runs while the image is made runs here; everything else is for the image's machine. */
static bool is_of_tools(enum lock_set_id set)
{
	return set == LOCK_BUILDER || set == LOCK_APPLIANCE;
}

struct wanted {
	const char *name;
	char *origin;
};
struct wanted_list {
	struct wanted *items;
	size_t count;
};

static void want(struct wanted_list *list, const char *name, const struct description *d, int line)
{
	struct wanted *item = memory_append(&list->items, list->count, sizeof(*item));

	list->count++;
	item->name = name;
	item->origin = d ? string_printf("%s:%d", d->file, line) : NULL;
}

static bool is_ignored(const struct description *d, const char *name)
{
	for (size_t i = 0; i < d->ignored.count; i++)
		if (strcmp(d->ignored.items[i].name, name) == 0)
			return true;
	return false;
}

static void want_packages(struct wanted_list *list, const struct description *d,
			  const struct description_packages *packages)
{
	for (size_t i = 0; i < packages->count; i++)
		if (!is_ignored(d, packages->items[i].name))
			want(list, packages->items[i].name, d, packages->items[i].line);
}

static void want_programs(struct wanted_list *list, const struct description *d)
{
	for (size_t i = 0; i < d->program_count; i++)
		for (size_t k = 0; k < d->programs[i].package_count; k++)
			want(list, d->programs[i].packages[k], d, d->programs[i].line);
}

/*
 * gcc's own part of every program comes with the tools where they are for the image's machine, and out of the
 * image's archive where not: Debian's packages of it for a compiler that crosses are another build.
 */
static void want_machine(struct wanted_list *list, const struct architecture *arch, enum lock_set_id set)
{
	const struct architecture *tools = architecture_host();

	if (set == LOCK_BUILDER) {
		want(list, arch->binutils, NULL, 0);
		want(list, arch->compiler, NULL, 0);
	}
	if (set == LOCK_BUILDER && arch != tools)
		want(list, "qemu-user", NULL, 0);
	if (set == (arch == tools ? LOCK_BUILDER : LOCK_SYSROOT))
		want(list, "libgcc-14-dev", NULL, 0);
	if (set == LOCK_APPLIANCE)
		want(list, tools->kernel, NULL, 0);
	if (set == LOCK_FIRMWARE)
		want(list, arch->firmware, NULL, 0);
}

static void want_set(struct wanted_list *list, const struct description *d, enum lock_set_id set)
{
	for (size_t i = 0; i < NAMES_MAX && rules[set].names[i]; i++)
		want(list, rules[set].names[i], NULL, 0);
	want_machine(list, d->arch, set);
	if (set == LOCK_IMAGE) {
		want_packages(list, d, &d->bootstrap);
		want_packages(list, d, &d->image);
	}
	if (set == LOCK_SYSROOT)
		want_programs(list, d);
}

/* Equal names: the one the user wrote first, so that a message can say where. */
static int by_name(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order == 0)
		order = !x->origin - !y->origin;
	if (order == 0 && x->origin)
		order = strcmp(x->origin, y->origin);
	return order;
}

static void make_request(struct wanted_list *list, struct package_set_request *ret)
{
	const char **names = memory_new((list->count + 1) * sizeof(*names));
	const char **origins = memory_new((list->count + 1) * sizeof(*origins));
	size_t count = 0;

	if (list->count > 0)
		qsort(list->items, list->count, sizeof(*list->items), by_name);
	for (size_t i = 0; i < list->count; i++) {
		if (count > 0 && strcmp(names[count - 1], list->items[i].name) == 0) {
			free(list->items[i].origin);
			continue;
		}
		names[count] = list->items[i].name;
		origins[count++] = list->items[i].origin;
	}
	ret->names = names;
	ret->origins = origins;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char **make_excluded(const struct description *d, enum lock_set_id set)
{
	size_t count = set == LOCK_IMAGE ? d->ignored.count : 0;
	const char **excluded = memory_new((count + 1) * sizeof(*excluded));

	for (size_t i = 0; i < count; i++)
		excluded[i] = d->ignored.items[i].name;
	if (count > 0)
		qsort(excluded, count, sizeof(*excluded), compare_strings);
	return excluded;
}

void package_sets_make(const struct description *d, struct package_sets *ret)
{
	for (unsigned int set = 0; set < LOCK_SETS; set++) {
		struct package_set_request *request = &ret->requests[set];
		struct wanted_list list = { NULL, 0 };

		request->set = set;
		request->reach = rules[set].reach;
		request->arch = (is_of_tools(set) ? architecture_host() : d->arch)->deb;
		want_set(&list, d, set);
		make_request(&list, request);
		request->excluded = make_excluded(d, set);
		free(list.items);
	}
}

void package_sets_free(struct package_sets *sets)
{
	for (unsigned int set = 0; set < LOCK_SETS; set++) {
		struct package_set_request *request = &sets->requests[set];

		for (size_t i = 0; request->names && request->names[i]; i++)
			free((void *)request->origins[i]);
		free((void *)request->names);
		free((void *)request->origins);
		free((void *)request->excluded);
	}
}
