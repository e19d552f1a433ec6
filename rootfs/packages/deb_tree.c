/* SPDX-License-Identifier: Apache-2.0 */
#include "deb_tree.h"

#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/base/process.h"
#include "../../factory/base/workers.h"
#include "../../factory/model/lock.h"
#include "../../factory/model/memory.h"
#include "deb_file.h"
#include "deb_place.h"

struct tree {
	const struct store *store;
	const char *const *wanted, *const *skipped;
	int root;
	struct piece {
		const struct locked_package *package;
		struct error err;
	} *pieces;
};

static bool begins(const char *name, const char *const *prefixes)
{
	for (; prefixes && *prefixes; prefixes++)
		if (strncmp(name, *prefixes, strlen(*prefixes)) == 0)
			return true;
	return false;
}

static bool is_selected(const struct tree *tree, struct archive_entry *entry, const char *name)
{
	const char *link = archive_entry_symlink(entry);

	/* Directories come into being with what is in them. */
	if (archive_entry_filetype(entry) == AE_IFDIR || !begins(name, tree->wanted) ||
	    begins(name, tree->skipped))
		return false;
	return !link || link[0] != '/';
}

static int unpack(const struct tree *tree, const struct locked_package *package, struct error *err)
{
	CLEANUP_DEB_FILE struct deb_file deb = DEB_FILE_INIT;
	struct archive_entry *entry;
	const char *name;
	int r = process_check_interrupt(err);

	if (r == 0)
		r = deb_file_open(tree->store, package, "data.tar", &deb, err);
	if (r < 0)
		return r;
	while ((r = deb_file_next(&deb, &entry, &name, err)) > 0) {
		if (!is_selected(tree, entry, name))
			continue;
		r = deb_place(&deb, entry, name, tree->root, err);
		if (r < 0)
			return r;
	}
	return r;
}

static void unpack_piece(void *arg, size_t index)
{
	const struct tree *tree = arg;
	struct piece *piece = &tree->pieces[index];

	(void)unpack(tree, piece->package, &piece->err);
}

/* The last to end should not be one of the longest. */
static int larger_first(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	if (x->package->size != y->package->size)
		return x->package->size < y->package->size ? 1 : -1;
	return strcmp(x->package->name, y->package->name);
}

/* Decompressing is nearly all of it, and packages do not depend on each other. */
int deb_tree(const struct store *store, const struct lock_set *set, const char *const *wanted,
	     const char *const *skipped, const char *directory, struct error *err)
{
	CLEANUP_FREE struct piece *pieces = memory_new((set->count + 1) * sizeof(*pieces));
	CLEANUP_CLOSE int root = -1;
	struct tree tree = { .store = store, .wanted = wanted, .skipped = skipped, .pieces = pieces };
	int r = io_mkdirs(directory, 0755, err);

	if (r < 0)
		return r;
	root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return error_system(err, errno, "%s", directory);
	tree.root = root;
	for (size_t i = 0; i < set->count; i++)
		pieces[i] = (struct piece){ &set->packages[i], ERROR_INIT };
	if (set->count > 0)
		qsort(pieces, set->count, sizeof(*pieces), larger_first);
	workers_run(set->count, unpack_piece, &tree);
	for (size_t i = 0; i < set->count; i++) {
		if (pieces[i].err.kind == ERROR_NONE)
			continue;
		*err = pieces[i].err;
		return -err->code;
	}
	return 0;
}
