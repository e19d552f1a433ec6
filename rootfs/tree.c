/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <stdlib.h>
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/format/tar.h"
#include "../factory/model/memory.h"
#include "tree_path.h"
#include "tree_view.h"

void tree_free(struct tree *t)
{
	if (!t)
		return;
	tree_archive_close(&t->lower);
	tree_archive_close(&t->upper);
	free(t->entries);
	free(t);
}

void tree_freep(struct tree **t)
{
	tree_free(*t);
}

static struct tree *tree_new(void)
{
	struct tree *t = memory_new(sizeof(*t));

	t->lower = t->upper = (struct tree_archive)TREE_ARCHIVE_INIT;
	return t;
}

size_t tree_position(const struct tree *t, const char *path)
{
	size_t low = 0, high = t->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (tree_path_compare(t->entries[middle]->path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---------------------------------------------------------------- the overlay */

/* What the merge is at; both archives are sorted, so all below a name comes in one row after it. */
struct merge {
	struct tree *tree;
	size_t lower, upper;		/* the next of each */
	const char *hidden;		/* what the lower archive has below is not seen; NULL: all is */
};

static void show(struct merge *m, const struct tree_entry *e)
{
	m->tree->entries[m->tree->count++] = e;
}

static void take_lower(struct merge *m)
{
	const struct tree_entry *e = m->tree->lower.entries[m->lower++];

	if (!m->hidden || !tree_path_below(e->path, m->hidden))
		show(m, e);
}

static void take_upper(struct merge *m)
{
	const struct tree_entry *e = m->tree->upper.entries[m->upper++];
	const bool hides = e->type != TAR_DIRECTORY || e->opaque;

	/* Within what is hidden already nothing more needs hiding. */
	if (hides && !(m->hidden && tree_path_below(e->path, m->hidden)))
		m->hidden = e->path;
	if (!e->whiteout)
		show(m, e);
}

static void merge(struct tree *t)
{
	struct merge m = { .tree = t };

	t->entries = memory_new((t->lower.count + t->upper.count + 1) * sizeof(*t->entries));
	while (m.lower < t->lower.count || m.upper < t->upper.count) {
		int order = m.lower == t->lower.count ? 1 : m.upper == t->upper.count ? -1 :
			    tree_path_compare(t->lower.entries[m.lower]->path,
					      t->upper.entries[m.upper]->path);

		if (order < 0) {
			take_lower(&m);
			continue;
		}
		if (order == 0)
			m.lower++;
		take_upper(&m);
	}
}

/* ---------------------------------------------------------------- opening */

static int open_single(const char *archive, enum tree_kind kind, struct tree **ret, struct error *err)
{
	CLEANUP_TREE struct tree *t = tree_new();
	int r = tree_archive_open(archive, kind, &t->lower, err);

	if (r < 0)
		return r;
	merge(t);
	*ret = TAKE_PTR(t);
	return 0;
}

int tree_open(const char *archive, struct tree **ret, struct error *err)
{
	return open_single(archive, TREE_WHOLE, ret, err);
}

int tree_open_finished(const char *archive, struct tree **ret, struct error *err)
{
	return open_single(archive, TREE_FINISHED, ret, err);
}

int tree_merge(const char *packages, const char *changes, struct tree **ret, struct error *err)
{
	CLEANUP_TREE struct tree *t = tree_new();
	int r = tree_archive_open(packages, TREE_WHOLE, &t->lower, err);

	if (r == 0)
		r = tree_archive_open(changes, TREE_CHANGES, &t->upper, err);
	if (r < 0)
		return r;
	merge(t);
	*ret = TAKE_PTR(t);
	return 0;
}
