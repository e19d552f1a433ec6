/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
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
#include "log.h"

/*
 * The lock is flock() on the scratch directory itself: it ends with its owner however that ends,
 * and leaves no file among the owner's. Between mkdtemp() and flock() a directory is there without
 * a lock, and a peer's sweep may take it: so the maker looks, once it has the lock, whether the
 * directory still exists, and otherwise makes another.
 */

#define PREFIX "kiln-scratch-"
#define SUFFIX_SIZE 6
#define ATTEMPTS 100

/* kiln-scratch-PID-XXXXXX: nothing else in a directory of the user's may ever be swept. */
static bool is_scratch_name(const char *name)
{
	size_t pid;

	if (strncmp(name, PREFIX, sizeof(PREFIX) - 1) != 0)
		return false;
	name += sizeof(PREFIX) - 1;
	pid = strspn(name, "0123456789");
	if (pid == 0 || name[pid] != '-')
		return false;
	name += pid + 1;
	for (size_t i = 0; i < SUFFIX_SIZE; i++)
		if (!isalnum((unsigned char)name[i]))
			return false;
	return name[SUFFIX_SIZE] == '\0';
}

/* Opens and locks; -1 when that is not possible now. */
static int lock_directory(const char *path)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -1;
	return TAKE_FD(fd);
}

static void sweep_one(const char *path)
{
	CLEANUP_CLOSE int lock = lock_directory(path);
	struct error err = ERROR_INIT;
	struct stat st;

	if (lock < 0 || fstat(lock, &st) < 0 || st.st_uid != geteuid())
		return;
	log_debug("removing %s, left behind by a process that was killed", path);
	if (io_remove_tree(path, &err) < 0)
		log_warning("%s", err.message);
}

static void sweep(const char *dir)
{
	CLEANUP_CLOSEDIR DIR *d = opendir(dir);
	struct dirent *entry;

	if (!d)
		return;	/* mkdtemp() will say what is wrong with it */
	while ((entry = readdir(d))) {
		if (!is_scratch_name(entry->d_name))
			continue;
		CLEANUP_FREE char *path = path_join(dir, entry->d_name);
		sweep_one(path);
	}
}

/* 0, -EAGAIN when a peer's sweep was quicker, or the error. */
static int make_locked(const char *dir, struct scratch *ret, struct error *err)
{
	CLEANUP_FREE char *name = string_printf(PREFIX "%ld-XXXXXX", (long)getpid());
	CLEANUP_FREE char *path = path_join(dir, name);
	CLEANUP_CLOSE int lock = -1;
	struct stat st;

	if (!mkdtemp(path))
		return error_system(err, errno, "cannot create a scratch directory in %s", dir);
	lock = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (lock < 0)
		return errno == ENOENT ? -EAGAIN : error_system(err, errno, "cannot open %s", path);
	if (flock(lock, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return -EAGAIN;
		(void)error_system(err, errno, "cannot lock %s (is it on a network file system?)",
				   path);
		(void)rmdir(path);	/* the lock's failure is what counts */
		return -err->code;
	}
	if (fstat(lock, &st) < 0 || st.st_nlink == 0)
		return -EAGAIN;
	*ret = (struct scratch){ .path = TAKE_PTR(path), .lock = TAKE_FD(lock) };
	return 0;
}

int io_scratch_new(const char *dir, struct scratch *ret, struct error *err)
{
	int r = -EAGAIN;

	sweep(dir);
	for (int i = 0; i < ATTEMPTS && r == -EAGAIN; i++)
		r = make_locked(dir, ret, err);
	if (r == -EAGAIN)
		return error_outside(err, "cannot keep a scratch directory in %s: "
				     "something removes it at once", dir);
	return r;
}

void io_scratch_free(struct scratch *s)
{
	struct error err = ERROR_INIT;

	if (!s->path)
		return;
	if (io_remove_tree(s->path, &err) < 0)
		log_warning("%s", err.message);
	free(TAKE_PTR(s->path));
	(void)close(TAKE_FD(s->lock));
}
