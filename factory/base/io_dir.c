/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "error.h"
#include "io.h"

static int make_directory(const char *path, mode_t mode, struct error *err)
{
	struct stat st;
	int code;

	if (mkdir(path, mode) == 0)
		return 0;
	/* Any error may hide an existing directory: EEXIST, but also EROFS and EACCES above it. */
	code = errno;
	if (stat(path, &st) < 0)
		return error_system(err, code, "cannot create the directory %s", path);
	if (!S_ISDIR(st.st_mode))
		return error_system(err, ENOTDIR, "cannot create the directory %s", path);
	return 0;
}

int io_mkdirs(const char *path, mode_t mode, struct error *err)
{
	CLEANUP_FREE char *prefix = string_copy(path);
	int r;

	for (char *p = prefix; *p; p++) {
		if (*p != '/' || p == prefix)
			continue;
		*p = '\0';
		r = make_directory(prefix, mode, err);
		*p = '/';
		if (r < 0)
			return r;
	}
	return make_directory(path, mode, err);
}

static int remove_entry(int dirfd, const char *name, const char *path, struct error *err);

static int remove_entries(DIR *dir, const char *path, struct error *err)
{
	struct dirent *entry;
	int r;

	for (;;) {
		errno = 0;
		entry = readdir(dir);
		if (!entry)
			break;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		CLEANUP_FREE char *below = path_join(path, entry->d_name);
		r = remove_entry(dirfd(dir), entry->d_name, below, err);
		if (r < 0)
			return r;
	}
	if (errno)
		return error_system(err, errno, "cannot read the directory %s", path);
	return 0;
}

/* A directory in a tree made by tools may forbid its owner to read or change it. */
static int open_directory(int parent, const char *name)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(parent, name, flags);

	if (fd < 0 && errno == EACCES) {
		if (fchmodat(parent, name, 0700, AT_SYMLINK_NOFOLLOW) < 0)
			return -1;
		fd = openat(parent, name, flags);
	}
	if (fd >= 0)
		(void)fchmod(fd, 0700);	/* where this matters and fails, unlinkat() says so */
	return fd;
}

static int remove_directory(int parent, const char *name, const char *path, struct error *err)
{
	CLEANUP_CLOSEDIR DIR *dir = NULL;
	CLEANUP_CLOSE int fd = open_directory(parent, name);
	int r;

	if (fd < 0)
		return error_system(err, errno, "cannot open the directory %s", path);
	dir = fdopendir(fd);
	if (!dir)
		return error_system(err, errno, "cannot read the directory %s", path);
	(void)TAKE_FD(fd);
	r = remove_entries(dir, path, err);
	if (r < 0)
		return r;
	if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return error_system(err, errno, "cannot remove the directory %s", path);
	return 0;
}

static int remove_entry(int parent, const char *name, const char *path, struct error *err)
{
	struct stat st;

	/* Asked first: unlink() of a directory may succeed for root on some file systems. */
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT)
			return 0;
		return error_system(err, errno, "cannot stat %s", path);
	}
	if (S_ISDIR(st.st_mode))
		return remove_directory(parent, name, path, err);
	if (unlinkat(parent, name, 0) < 0 && errno != ENOENT)
		return error_system(err, errno, "cannot remove %s", path);
	return 0;
}

int io_remove_tree(const char *path, struct error *err)
{
	return remove_entry(AT_FDCWD, path, path, err);
}

bool io_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

int io_sync_dir(const char *path, struct error *err)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_system(err, errno, "cannot open the directory %s", path);
	/* EINVAL: a file system whose directories cannot be synced, where no more can be done. */
	if (fsync(fd) < 0 && errno != EINVAL)
		return error_system(err, errno, "cannot write the directory %s to disk", path);
	return 0;
}

int io_lock(const char *path, int *ret, struct error *err)
{
	CLEANUP_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		return error_system(err, errno, "cannot open the lock %s", path);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return error_system(err, errno, "cannot lock %s", path);
	*ret = TAKE_FD(fd);
	return 0;
}

/* "" counts as unset, as the XDG Base Directory Specification has it. */
static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] ? value : NULL;
}

static char *cache_path(void)
{
	const char *value;

	if ((value = variable("KILN_CACHE")))
		return string_copy(value);
	if ((value = variable("XDG_CACHE_HOME")))
		return path_join(value, "kiln");
	if ((value = variable("HOME")))
		return path_join(value, ".cache/kiln");
	return NULL;
}

int io_cache_dir(char **ret, struct error *err)
{
	CLEANUP_FREE char *path = cache_path();
	char *absolute;
	int r;

	if (!path)
		return error_input(err, "no place for the cache: set KILN_CACHE to a directory");
	r = io_mkdirs(path, 0700, err);
	if (r < 0)
		return error_wrap(err, "cache");
	/* Absolute, so that it means the same to a child in another directory. */
	absolute = realpath(path, NULL);
	if (!absolute)
		return error_system(err, errno, "cache: cannot resolve %s", path);
	*ret = absolute;
	return 0;
}
