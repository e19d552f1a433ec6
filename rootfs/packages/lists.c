/* SPDX-License-Identifier: Apache-2.0 */
#include "lists.h"

#include <stdlib.h>
#include <string.h>

#include "../../factory/base/error.h"
#include "../../factory/base/hex.h"
#include "../../factory/model/memory.h"

/* Debian's main list has 65,000 packages; growing by one each time would copy without end. */
static void *next_slot(void *list, size_t count, size_t *room, size_t size)
{
	void *items;

	if (count == *room) {
		memcpy(&items, list, sizeof(items));
		*room = *room ? *room * 2 : 1024;
		items = reallocarray(items, *room, size);
		if (!items)
			error_no_memory();
		memcpy(list, &items, sizeof(items));
	}
	memcpy(&items, list, sizeof(items));
	return (uint8_t *)items + count * size;
}

static void add_name(struct package_lists *lists, struct text name)
{
	struct text *slot =
		next_slot(&lists->names, lists->name_count, &lists->name_room, sizeof(*slot));

	*slot = name;
	lists->name_count++;
}

/* "a, b (= 1.0), c": the names alone. */
static void add_provided(struct package_lists *lists, struct text provides)
{
	while (provides.size > 0) {
		const char *comma = memchr(provides.data, ',', provides.size);
		size_t size = comma ? (size_t)(comma - provides.data) : provides.size;
		struct text one = { provides.data, size }, name;

		if (text_word(&one, &name))
			add_name(lists, name);
		size += comma ? 1 : 0;
		provides.data += size;
		provides.size -= size;
	}
}

static bool read_digest(struct text stanza, uint8_t ret[static 32])
{
	struct text value;
	char hex[65];

	if (!stanza_field(stanza, "SHA256", &value) || value.size != 64)
		return false;
	memcpy(hex, value.data, 64);
	hex[64] = '\0';
	return hex_decode(hex, ret, 32) == 0;
}

static void add_package(struct package_lists *lists, struct text stanza, unsigned int repository)
{
	struct listed_package package = { .stanza = stanza, .repository = repository }, *slot;
	struct text provides;

	if (!stanza_field(stanza, "Package", &package.name) || !read_digest(stanza, package.sha256))
		return;
	slot = next_slot(&lists->packages, lists->package_count, &lists->package_room,
			 sizeof(*slot));
	*slot = package;
	lists->package_count++;
	add_name(lists, package.name);
	if (stanza_field(stanza, "Provides", &provides))
		add_provided(lists, provides);
}

int package_lists_add(struct package_lists *lists, const char *path, unsigned int repository,
		      struct error *err)
{
	struct io_map *map = memory_append(&lists->maps, lists->map_count, sizeof(*map));
	struct text rest, stanza;
	int r;

	r = io_map_file(path, map, err);
	if (r < 0)
		return r;
	lists->map_count++;
	rest = (struct text){ (const char *)map->data, map->size };
	while (stanza_next(&rest, &stanza))
		add_package(lists, stanza, repository);
	return 0;
}

static int compare_digests(const void *a, const void *b)
{
	const struct listed_package *x = a, *y = b;
	int order = memcmp(x->sha256, y->sha256, sizeof(x->sha256));

	if (order == 0)
		order = (x->repository > y->repository) - (x->repository < y->repository);
	return order;
}

static int compare_names(const void *a, const void *b)
{
	const struct text *x = a, *y = b;
	int order = memcmp(x->data, y->data, x->size < y->size ? x->size : y->size);

	return order ? order : (x->size > y->size) - (x->size < y->size);
}

void package_lists_sort(struct package_lists *lists)
{
	if (lists->package_count > 0)
		qsort(lists->packages, lists->package_count, sizeof(*lists->packages),
		      compare_digests);
	if (lists->name_count > 0)
		qsort(lists->names, lists->name_count, sizeof(*lists->names), compare_names);
}

const struct listed_package *package_lists_find(const struct package_lists *lists,
						const uint8_t sha256[static 32])
{
	size_t low = 0, high = lists->package_count;

	/* The lowest match, not any as bsearch() gives: the first repository is to win. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(lists->packages[middle].sha256, sha256, 32) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == lists->package_count || memcmp(lists->packages[low].sha256, sha256, 32) != 0)
		return NULL;
	return &lists->packages[low];
}

bool package_lists_know(const struct package_lists *lists, const char *name)
{
	struct text key = text_of(name);

	return lists->name_count > 0 &&
	       bsearch(&key, lists->names, lists->name_count, sizeof(*lists->names), compare_names);
}

void package_lists_free(struct package_lists *lists)
{
	for (size_t i = 0; i < lists->map_count; i++)
		io_unmap(&lists->maps[i]);
	free(lists->maps);
	free(lists->packages);
	free(lists->names);
	*lists = (struct package_lists){ 0 };
}
