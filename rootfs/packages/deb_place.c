/* SPDX-License-Identifier: Apache-2.0 */
#include "deb_place.h"

#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"

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

int deb_place(struct deb_file *deb, struct archive_entry *entry, const char *name, int root,
	      struct error *err)
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
