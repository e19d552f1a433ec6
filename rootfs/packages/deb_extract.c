/* SPDX-License-Identifier: Apache-2.0 */
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/base/process.h"
#include "../../factory/base/workers.h"
#include "../../factory/model/lock.h"
#include "../../factory/model/memory.h"
#include "deb_file.h"
#include "deb_tree.h"
#include "packages.h"

/*
 * Everything is opened step by step from `directory` and never through a link, so no order of entries
 * can lead a write outside. Links are made, with one rule: their target is relative and has ".." only
 * at its beginning, no more of them than the link lies deep. As the directories above a link are
 * real ones, what such a link names is inside, whatever other links it passes.
 */

static bool is_dots(const char *component, size_t size)
{
	return size <= 2 && memcmp(component, "..", size) == 0;
}

/* "a/b/c": no empty part, no "." and "..". */
static bool is_plain_path(const char *path)
{
	for (;;) {
		size_t size = strcspn(path, "/");

		if (size == 0 || is_dots(path, size))
			return false;
		if (path[size] == '\0')
			return true;
		path += size + 1;
	}
}

static bool link_stays_inside(const char *name, const char *target)
{
	size_t depth = 0;

	for (const char *p = name; *p; p++)
		depth += *p == '/';
	while (strncmp(target, "../", 3) == 0 && depth > 0) {
		target += 3;
		depth--;
	}
	return is_plain_path(target);
}

/* The directory that holds the last component of `name`, made where missing; *ret_last is that. */
static int open_parent(int root, const char *name, const char **ret_last)
{
	CLEANUP_CLOSE int dir = fcntl(root, F_DUPFD_CLOEXEC, 3);
	const char *slash;

	while (dir >= 0 && (slash = strchr(name, '/'))) {
		CLEANUP_FREE char *component = string_printf("%.*s", (int)(slash - name), name);
		int next;

		if (mkdirat(dir, component, 0755) < 0 && errno != EEXIST)
			return -errno;
		next = openat(dir, component, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		close(dir);
		dir = next;
		name = slash + 1;
	}
	if (dir < 0)
		return -errno;
	*ret_last = name;
	return TAKE_FD(dir);
}

static int write_file(struct deb_file *deb, struct archive_entry *entry, int dir, const char *name,
		      struct error *err)
{
	mode_t mode = archive_entry_perm(entry) & 0111 ? 0755 : 0644;
	CLEANUP_CLOSE int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd < 0)
		return error_system(err, errno, "package %s: %s", deb->name, name);
	if (archive_read_data_into_fd(deb->tar, fd) != ARCHIVE_OK)
		return deb_file_error(deb, err);
	return 0;
}

/* A hard link names an entry that came earlier in the same archive. */
static int make_hard_link(const struct deb_file *deb, int root, const char *target, int dir,
			  const char *name, struct error *err)
{
	CLEANUP_CLOSE int target_dir = -1;
	const char *last = NULL;

	while (strncmp(target, "./", 2) == 0)
		target += 2;
	if (!is_plain_path(target))
		return error_outside(err, "package %s: %s links to %s, outside", deb->name, name,
				     target);
	target_dir = open_parent(root, target, &last);
	if (target_dir < 0)
		return error_system(err, target_dir, "package %s: %s", deb->name, target);
	if (linkat(target_dir, last, dir, name, 0) < 0)
		return error_system(err, errno, "package %s: %s", deb->name, name);
	return 0;
}

static int extract_entry(struct deb_file *deb, struct archive_entry *entry, const char *name,
			 int root, struct error *err)
{
	CLEANUP_CLOSE int dir = -1;
	const char *last = NULL, *target = archive_entry_symlink(entry);

	if (!is_plain_path(name))
		return error_outside(err, "package %s: \"%s\" leads outside", deb->name, name);
	dir = open_parent(root, name, &last);
	if (dir < 0)
		return error_system(err, dir, "package %s: %s", deb->name, name);
	if (archive_entry_hardlink(entry))
		return make_hard_link(deb, root, archive_entry_hardlink(entry), dir, last, err);
	if (archive_entry_filetype(entry) == AE_IFREG)
		return write_file(deb, entry, dir, last, err);
	if (archive_entry_filetype(entry) != AE_IFLNK || !target)
		return error_outside(err, "package %s: %s is neither file, link nor directory",
				     deb->name, name);
	if (!link_stays_inside(name, target))
		return error_outside(err, "package %s: %s links to %s, outside", deb->name, name,
				     target);
	if (symlinkat(target, dir, last) < 0)
		return error_system(err, errno, "package %s: %s", deb->name, name);
	return 0;
}

/* ---------------------------------------------------------------- one package, a whole set */

struct selection {
	const char *const *wanted, *const *skipped;	/* prefixes; NULL-terminated; skipped may be NULL */
	bool leave_absolute;		/* links with an absolute target are left out, not refused */
};

static bool begins(const char *name, const char *const *prefixes)
{
	for (; prefixes && *prefixes; prefixes++)
		if (strncmp(name, *prefixes, strlen(*prefixes)) == 0)
			return true;
	return false;
}

/* Directories come into being with what is in them. */
static bool is_selected(const struct selection *s, struct archive_entry *entry, const char *name)
{
	const char *link = archive_entry_symlink(entry);

	if (archive_entry_filetype(entry) == AE_IFDIR || !begins(name, s->wanted) ||
	    begins(name, s->skipped))
		return false;
	return !(s->leave_absolute && link && link[0] == '/');
}

static int extract(const struct store *store, const struct locked_package *package,
		   const struct selection *selection, const char *directory, struct error *err)
{
	CLEANUP_DEB_FILE struct deb_file deb = DEB_FILE_INIT;
	CLEANUP_CLOSE int root = -1;
	struct archive_entry *entry;
	const char *name;
	int r;

	r = deb_file_open(store, package, "data.tar", &deb, err);
	if (r == 0)
		r = io_mkdirs(directory, 0755, err);
	if (r < 0)
		return r;
	root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return error_system(err, errno, "%s", directory);
	while ((r = deb_file_next(&deb, &entry, &name, err)) > 0) {
		if (!is_selected(selection, entry, name))
			continue;
		r = extract_entry(&deb, entry, name, root, err);
		if (r < 0)
			return r;
	}
	return r;
}

int deb_extract(const struct store *store, const struct locked_package *package, const char *prefix,
		const char *directory, struct error *err)
{
	const char *const wanted[] = { prefix, NULL };
	const struct selection selection = { .wanted = wanted };

	return extract(store, package, &selection, directory, err);
}

struct tree {
	const struct store *store;
	const struct selection *selection;
	const char *directory;
	struct tree_piece {
		const struct locked_package *package;
		struct error err;
	} *pieces;
};

static int larger_first(const void *a, const void *b)
{
	const struct tree_piece *x = a, *y = b;

	if (x->package->size != y->package->size)
		return x->package->size < y->package->size ? 1 : -1;
	return strcmp(x->package->name, y->package->name);
}

static void extract_piece(void *arg, size_t index)
{
	const struct tree *tree = arg;
	struct tree_piece *piece = &tree->pieces[index];

	if (process_check_interrupt(&piece->err) == 0)
		(void)extract(tree->store, piece->package, tree->selection, tree->directory, &piece->err);
}

/* Decompressing is nearly all of it, and packages do not depend on each other. */
int deb_tree(const struct store *store, const struct lock_set *set, const char *const *wanted,
	     const char *const *skipped, const char *directory, struct error *err)
{
	const struct selection selection = { wanted, skipped, .leave_absolute = true };
	CLEANUP_FREE struct tree_piece *pieces = memory_new((set->count + 1) * sizeof(*pieces));
	struct tree tree = { store, &selection, directory, pieces };

	for (size_t i = 0; i < set->count; i++)
		pieces[i] = (struct tree_piece){ &set->packages[i], ERROR_INIT };
	if (set->count > 0)
		qsort(pieces, set->count, sizeof(*pieces), larger_first);
	workers_run(set->count, extract_piece, &tree);
	for (size_t i = 0; i < set->count; i++) {
		if (pieces[i].err.kind == ERROR_NONE)
			continue;
		*err = pieces[i].err;
		return -err->code;
	}
	return 0;
}
