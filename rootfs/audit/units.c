/* SPDX-License-Identifier: Apache-2.0 */
#include "units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/format/tar.h"
#include "../../factory/model/memory.h"
#include "../tree.h"
#include "rules.h"

/* By precedence. What generators write at run time is not there; the rules look at what makes them write. */
static const char *const directories[] = {
	"etc/systemd/system", "usr/local/lib/systemd/system", "usr/lib/systemd/system", "lib/systemd/system",
};

static const char *const kinds[] = {
	".service", ".socket", ".target", ".mount", ".automount", ".swap", ".timer", ".path", ".device", ".slice",
	".scope",
};

void units_free(struct units *units)
{
	if (!units)
		return;
	for (size_t i = 0; i < units->count; i++) {
		struct unit *u = &units->items[i];

		unit_file_clear(&u->file);
		for (size_t k = 0; k < u->place_count; k++)
			free(u->places[k]);
		free(u->places);
		free(u->name);
		free(u->path);
	}
	free(units->items);
	free(units);
}

void units_freep(struct units **units)
{
	units_free(*units);
}

static bool has_suffix(const char *name, const char *suffix)
{
	const size_t n = strlen(name), m = strlen(suffix);

	return n > m && strcmp(name + n - m, suffix) == 0;
}

static bool is_unit(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (has_suffix(name, kinds[i]))
			return true;
	return false;
}

static struct unit *find(const struct units *units, const char *name)
{
	for (size_t i = 0; i < units->count; i++)
		if (strcmp(units->items[i].name, name) == 0)
			return &units->items[i];
	return NULL;
}

/* "getty@tty1.service" is of "getty@.service". */
static char *template_of(const char *name)
{
	const char *at = strchr(name, '@'), *dot = strrchr(name, '.');

	return at && dot && dot > at ? string_printf("%.*s%s", (int)(at - name) + 1, name, dot) : string_copy(name);
}

const struct unit *units_find(const struct units *units, const char *name)
{
	const struct unit *u = find(units, name);
	CLEANUP_FREE char *template = NULL;

	if (u)
		return u;
	template = template_of(name);
	return find(units, template);
}

/* ---------------------------------------------------------------- names */

static void add_names(struct units *units, const struct tree *tree, const char *directory)
{
	size_t position = 0;
	const char *name;

	while ((name = tree_list(tree, directory, &position))) {
		struct unit *u;

		if (!is_unit(name) || find(units, name))
			continue;
		u = memory_append(&units->items, units->count++, sizeof(*u));
		u->name = string_copy(name);
		u->path = path_join(directory, name);
	}
}

/* systemd.unit(5): a link to /dev/null, or an empty file. */
static bool is_mask(const struct tree_node *node)
{
	return node->type == TAR_SYMLINK ? strcmp(node->link, "/dev/null") == 0 :
					   node->type == TAR_FILE && node->size == 0;
}

/* The unit that it is another name of; NULL: it is its own. */
static const struct unit *original(const struct units *units, const struct tree *tree, const struct unit *u)
{
	struct tree_node node;

	if (!tree_stat(tree, u->path, true, &node) || node.type != TAR_SYMLINK ||
	    strcmp(audit_base(node.link), u->name) == 0)
		return NULL;
	return units_find(units, audit_base(node.link));
}

static void find_masks(struct units *units, const struct tree *tree)
{
	for (size_t i = 0; i < units->count; i++) {
		struct tree_node node;

		units->items[i].masked = tree_stat(tree, units->items[i].path, true, &node) && is_mask(&node);
	}
	for (size_t i = 0; i < units->count; i++) {
		const struct unit *other = original(units, tree, &units->items[i]);

		if (other && other->masked)
			units->items[i].masked = true;
	}
}

/* ---------------------------------------------------------------- who wants whom */

static void mark_wanted(struct units *units, const struct tree *tree, const char *directory)
{
	size_t position = 0;
	const char *name;

	while ((name = tree_list(tree, directory, &position))) {
		struct unit *u = find(units, name);
		CLEANUP_FREE char *template = template_of(name);

		if (!u)
			u = find(units, template);
		if (u && !u->masked)
			u->wanted = true;
	}
}

static void find_wanted(struct units *units, const struct tree *tree, const char *directory)
{
	static const char *const ways[] = { ".wants", ".requires", ".upholds" };
	size_t position = 0;
	const char *name;

	while ((name = tree_list(tree, directory, &position)))
		for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
			CLEANUP_FREE char *path = path_join(directory, name), *parent = NULL;
			const struct unit *u;

			if (!has_suffix(name, ways[i]))
				continue;
			parent = string_printf("%.*s", (int)(strlen(name) - strlen(ways[i])), name);
			u = units_find(units, parent);
			if (!u || !u->masked)
				mark_wanted(units, tree, path);
		}
}

/* ---------------------------------------------------------------- what is in them */

static int add_file(struct unit *u, const struct tree *tree, const char *path, const char *name, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(AUDIT_TEXT_MAX);
	struct tree_node node;
	int r;

	if (!tree_stat(tree, path, false, &node) || node.type != TAR_FILE)
		return 0;
	r = tree_read(tree, path, &text, err);
	if (r == 0)
		unit_file_add(&u->file, (struct text) { buf_text(&text), text.len }, name);
	return r;
}

static int add_dropins(struct unit *u, const struct tree *tree, const char *directory, const char *unit_name,
		       struct error *err)
{
	CLEANUP_FREE char *place = string_printf("%s/%s.d", directory, unit_name);
	size_t position = 0;
	const char *name;
	int r = 0;

	while (r == 0 && (name = tree_list(tree, place, &position))) {
		char **slot;

		if (!has_suffix(name, ".conf"))
			continue;
		slot = memory_append(&u->places, u->place_count++, sizeof(*slot));
		*slot = path_join(place, name);
		r = add_file(u, tree, *slot, *slot, err);
	}
	return r;
}

/* systemd orders drop-ins by their names alone; for what rules ask it is enough that all are there. */
static int read_unit(struct unit *u, const struct tree *tree, struct error *err)
{
	CLEANUP_FREE char *template = template_of(u->name);
	const char *kind = strrchr(u->name, '.') + 1;
	int r = add_file(u, tree, u->path, u->path, err);

	for (size_t i = ARRAY_SIZE(directories); i-- > 0 && r == 0;) {
		r = add_dropins(u, tree, directories[i], kind, err);
		if (r == 0 && strcmp(template, u->name) != 0)
			r = add_dropins(u, tree, directories[i], template, err);
		if (r == 0)
			r = add_dropins(u, tree, directories[i], u->name, err);
	}
	return r;
}

/* Settings that start what they name, when the unit itself is started. */
static const char *const starters[] = { "Wants", "Requires", "BindsTo", "Upholds", "Sockets", "Unit" };

static bool mark_named(const struct units *units, const char *list)
{
	struct text word;
	bool any = false;

	while (unit_word_next(&list, &word)) {
		CLEANUP_FREE char *name = text_copy(word), *template = template_of(name);
		struct unit *u = find(units, name);

		if (!u)
			u = find(units, template);
		if (u && !u->masked && !u->wanted)
			any = u->wanted = true;
	}
	return any;
}

static bool mark_started(const struct units *units, const struct unit *u)
{
	bool any = false;

	for (size_t i = 0; i < ARRAY_SIZE(starters); i++) {
		const struct unit_entry *e;
		size_t position = 0;

		while ((e = unit_file_next(&u->file, NULL, starters[i], &position)))
			if (mark_named(units, e->value))
				any = true;
	}
	return any;
}

/* What those that are started start in turn. Of targets it is not asked whether they are reached. */
static void follow_wanted(const struct units *units)
{
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < units->count; i++)
			if ((units->items[i].wanted || has_suffix(units->items[i].name, ".target")) &&
			    mark_started(units, &units->items[i]))
				more = true;
	}
}

int units_read(const struct tree *tree, struct units **ret, struct error *err)
{
	CLEANUP_UNITS struct units *units = memory_new(sizeof(*units));
	struct tree_node lib;
	/* Where /lib is a link, the last is the one before it. */
	const size_t places = ARRAY_SIZE(directories) -
			      (tree_stat(tree, "lib", true, &lib) && lib.type == TAR_SYMLINK);
	int r = 0;

	for (size_t i = 0; i < places; i++)
		add_names(units, tree, directories[i]);
	find_masks(units, tree);
	for (size_t i = 0; i < places; i++)
		find_wanted(units, tree, directories[i]);
	for (size_t i = 0; i < units->count && r == 0; i++)
		if (!units->items[i].masked)
			r = read_unit(&units->items[i], tree, err);
	follow_wanted(units);
	if (r == 0)
		*ret = TAKE_PTR(units);
	return r;
}

/* ---------------------------------------------------------------- commands */

static bool names_program(const char *command, const char *const *programs)
{
	struct text word;

	while (unit_word_next(&command, &word)) {
		CLEANUP_FREE char *copy = text_copy(word);

		/* systemd.service(5): special characters before the path of an executable. */
		if (audit_among(audit_base(copy + strspn(copy, "@-:+!|")), programs))
			return true;
	}
	return false;
}

const struct unit_entry *unit_runs(const struct unit *unit, const char *const *programs)
{
	for (size_t i = 0; i < unit->file.count; i++) {
		const struct unit_entry *e = &unit->file.entries[i];

		if (strncmp(e->key, "Exec", 4) == 0 && names_program(e->value, programs))
			return e;
	}
	return NULL;
}
