/* SPDX-License-Identifier: Apache-2.0 */
#include "deb_choice.h"

#include <stdlib.h>
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/model/memory.h"
#include "relations.h"
#include "store.h"

struct candidate {
	const struct locked_package *package;
	struct text depends, pre_depends, provides;
	bool essential, chosen;
};

struct candidates {
	struct candidate *items;
	size_t count;
	const char *const *without;
	size_t *pending;		/* chosen, with dependencies not looked at yet */
	size_t pending_count;
};

static void candidates_clear(struct candidates *c)
{
	free(c->items);
	free(c->pending);
}
#define CLEANUP_CANDIDATES __attribute__((cleanup(candidates_clear)))

/* ---------------------------------------------------------------- the index */

static void read_stanza(struct candidates *c, const struct lock_set *set, struct text stanza)
{
	struct text name, essential;

	if (!stanza_field(stanza, "Package", &name))
		return;
	for (size_t i = 0; i < set->count; i++) {
		struct candidate *item = &c->items[i];

		if (!text_equal(name, set->packages[i].name))
			continue;
		(void)stanza_field(stanza, "Depends", &item->depends);
		(void)stanza_field(stanza, "Pre-Depends", &item->pre_depends);
		(void)stanza_field(stanza, "Provides", &item->provides);
		item->essential = stanza_field(stanza, "Essential", &essential) &&
				  text_equal(essential, "yes");
		item->package = &set->packages[i];
	}
}

static int read_index(struct candidates *c, const struct lock_set *set, struct text index,
		      struct error *err)
{
	struct text stanza;

	while (stanza_next(&index, &stanza))
		read_stanza(c, set, stanza);
	for (size_t i = 0; i < set->count; i++)
		if (!c->items[i].package)
			return error_outside(err, "the index of the set does not name %s: run \"kiln fetch\"",
					     set->packages[i].name);
	return 0;
}

/* ---------------------------------------------------------------- choosing */

static bool provides(const struct candidate *c, struct text name)
{
	struct text rest = c->provides, provided;

	if (text_equal(name, c->package->name))
		return true;
	while (relations_next(&rest, &provided))
		if (provided.size == name.size && memcmp(provided.data, name.data, name.size) == 0)
			return true;
	return false;
}

static bool is_left_out(const struct candidates *c, const char *name)
{
	for (const char *const *prefix = c->without; prefix && *prefix; prefix++)
		if (strncmp(name, *prefix, strlen(*prefix)) == 0)
			return true;
	return false;
}

static void choose(struct candidates *c, size_t index)
{
	struct candidate *item = &c->items[index];

	if (item->chosen || is_left_out(c, item->package->name))
		return;
	item->chosen = true;
	c->pending[c->pending_count++] = index;
}

static void choose_providers(struct candidates *c, struct text relations)
{
	struct text name;

	while (relations_next(&relations, &name))
		for (size_t i = 0; i < c->count; i++)
			if (!c->items[i].chosen && provides(&c->items[i], name))
				choose(c, i);
}

static int choose_named(struct candidates *c, const char *name, struct error *err)
{
	for (size_t i = 0; i < c->count; i++) {
		if (strcmp(c->items[i].package->name, name) != 0)
			continue;
		choose(c, i);
		return 0;
	}
	return error_input(err, "the lock has no package %s, which this version of Kiln needs: run \"kiln fetch\"",
			   name);
}

static int choose_all(struct candidates *c, const struct deb_choice *choice, struct error *err)
{
	int r = 0;

	for (const char *const *name = choice->names; *name && r == 0; name++)
		r = choose_named(c, *name, err);
	for (size_t i = 0; choice->essential && i < c->count; i++)
		if (c->items[i].essential)
			choose(c, i);
	while (c->pending_count > 0) {
		const struct candidate *item = &c->items[c->pending[--c->pending_count]];

		choose_providers(c, item->depends);
		choose_providers(c, item->pre_depends);
	}
	return r;
}

static void take_chosen(const struct candidates *c, struct lock_set *ret)
{
	struct locked_package *packages = memory_new((c->count + 1) * sizeof(*packages));
	size_t count = 0;

	for (size_t i = 0; i < c->count; i++)
		if (c->items[i].chosen)
			packages[count++] = *c->items[i].package;
	*ret = (struct lock_set) { .packages = packages, .count = count };
}

int deb_choose(const struct store *store, const struct lock_set *set, const struct deb_choice *choice,
	       struct lock_set *ret, struct error *err)
{
	CLEANUP_CANDIDATES struct candidates c = { .count = set->count, .without = choice->without };
	CLEANUP_IO_MAP struct io_map index = { 0 };
	CLEANUP_FREE char *path = NULL;
	int r = store_verified(store, set->index_sha256, "index of packages", &path, err);

	if (r == 0)
		r = io_map_file(path, &index, err);
	if (r < 0)
		return r;
	c.items = memory_new((set->count + 1) * sizeof(*c.items));
	c.pending = memory_new((set->count + 1) * sizeof(*c.pending));
	r = read_index(&c, set, (struct text) { (const char *)index.data, index.size }, err);
	if (r == 0)
		r = choose_all(&c, choice, err);
	if (r < 0)
		return r;
	take_chosen(&c, ret);
	return 0;
}

void deb_choice_free(struct lock_set *set)
{
	free(set->packages);
	*set = (struct lock_set) { .packages = NULL };
}
