/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/digest.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/base/log.h"
#include "../../factory/base/process.h"
#include "../../factory/model/memory.h"

#define OBJECT_MODE 0444

struct store {
	char *dir;
	int held;	/* the directory, with the lock on it */
};

/* ---------------------------------------------------------------- opening */

static int lock_waiting(int fd, int operation, const char *dir, struct error *err)
{
	int r = 0;

	if (flock(fd, operation | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		log_info("another kiln is using the store: waiting for it");
	while (r == 0 && flock(fd, operation) < 0) {
		if (errno != EINTR)
			return error_system(err, errno, "cannot lock %s (is it on a network file system?)",
					    dir);
		r = process_check_interrupt(err);
	}
	return r;
}

static int open_held(const char *cache, int operation, struct store **ret, struct error *err)
{
	CLEANUP_FREE char *dir = path_join(cache, "store");
	CLEANUP_CLOSE int fd = -1;
	struct store *s;
	int r;

	r = io_mkdirs(dir, 0755, err);
	if (r < 0)
		return r;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_system(err, errno, "cannot open %s", dir);
	r = lock_waiting(fd, operation, dir, err);
	if (r < 0)
		return r;
	s = memory_new(sizeof(*s));
	*s = (struct store){.dir = TAKE_PTR(dir), .held = TAKE_FD(fd)};
	*ret = s;
	return 0;
}

int store_open(const char *cache, struct store **ret, struct error *err)
{
	return open_held(cache, LOCK_SH, ret, err);
}

int store_open_alone(const char *cache, struct store **ret, struct error *err)
{
	return open_held(cache, LOCK_EX, ret, err);
}

void store_free(struct store *s)
{
	if (!s)
		return;
	(void)close(s->held);
	free(s->dir);
	free(s);
}

void store_freep(struct store **s)
{
	store_free(*s);
}

/* ---------------------------------------------------------------- objects */

const char *store_directory(const struct store *s)
{
	return s->dir;
}

char *store_path(const struct store *s, const char *sha256)
{
	return string_printf("%s/%.2s/%s", s->dir, sha256, sha256);
}

bool store_has(const struct store *s, const char *sha256)
{
	CLEANUP_FREE char *path = store_path(s, sha256);
	struct stat st;

	return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* A digest of lower-case digits, as store_path() writes it. */
static bool is_digest(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

bool store_is_object(const char *below, char ret_sha256[static 65])
{
	if (strlen(below) != 67 || below[2] != '/' || !is_digest(below + 3) ||
	    memcmp(below, below + 3, 2) != 0)
		return false;
	memcpy(ret_sha256, below + 3, 65);
	return true;
}

/* Says when the object was last of use, to store_gc(). Where the store may not be written to,
 * nothing can be removed from it either. */
static void touch(const char *path)
{
	static const struct timespec now[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};

	if (utimensat(AT_FDCWD, path, now, AT_SYMLINK_NOFOLLOW) < 0)
		log_debug("cannot note the use of %s: %s", path, strerror(errno));
}

static int make_fan_out(const struct store *s, const char *sha256, struct error *err)
{
	CLEANUP_FREE char *dir = string_printf("%s/%.2s", s->dir, sha256);

	return io_mkdirs(dir, 0755, err);
}

/* Hex digest of a file's bytes. */
static int hash_file(const char *path, char ret[static 2 * DIGEST_MAX + 1], struct error *err)
{
	struct digest digest;
	int r;

	r = digest_file(DIGEST_SHA256, path, &digest, NULL, err);
	if (r < 0)
		return r;
	digest_hex(&digest, ret);
	return 0;
}

static int check_file(const char *path, const char *sha256, const char *name, struct error *err)
{
	char found[2 * DIGEST_MAX + 1];
	int r;

	r = hash_file(path, found, err);
	if (r < 0)
		return error_wrap(err, "%s", name);
	if (strcmp(found, sha256) != 0)
		return error_outside(err, "%s: its SHA-256 is %s, the lock says %s", name, found,
				     sha256);
	return 0;
}

/* The last step of every way in. */
int store_place(const struct store *s, const char *path, const char *sha256, struct error *err)
{
	CLEANUP_FREE char *object = store_path(s, sha256);
	CLEANUP_FREE char *dir = string_printf("%s/%.2s", s->dir, sha256);
	int r;

	r = make_fan_out(s, sha256, err);
	if (r < 0)
		return r;
	if (chmod(path, OBJECT_MODE) < 0)
		return error_system(err, errno, "%s", path);
	touch(path);
	if (rename(path, object) < 0)
		return error_system(err, errno, "%s", object);
	return io_sync_dir(dir, err);
}

static int adopt_copy(const struct store *s, const char *path, const char *sha256, const char *name,
		      struct error *err)
{
	CLEANUP_SCRATCH struct scratch scratch = SCRATCH_INIT;
	CLEANUP_FREE char *copy = NULL;
	int r;

	r = io_scratch_new(s->dir, &scratch, err);
	if (r < 0)
		return r;
	copy = path_join(scratch.path, "object");
	r = io_copy_file(path, copy, 0600, err);
	if (r < 0)
		return error_wrap(err, "%s", name);
	r = check_file(copy, sha256, name, err);
	if (r < 0)
		return r;
	return store_place(s, copy, sha256, err);
}

static bool same_file_system(const struct store *s, const struct stat *file)
{
	struct stat st;

	return stat(s->dir, &st) == 0 && st.st_dev == file->st_dev;
}

static int sync_file(const char *path, struct error *err)
{
	CLEANUP_FCLOSE FILE *f = fopen(path, "re");

	if (!f || fsync(fileno(f)) < 0)
		return error_system(err, errno, "%s", path);
	return 0;
}

/* A link is copied: apt's file method leaves one that points into the mirror's own tree. */
int store_adopt(const struct store *s, const char *path, const char *sha256, const char *name,
		struct error *err)
{
	struct stat st;
	int r;

	if (lstat(path, &st) < 0)
		return error_system(err, errno, "%s: %s", name, path);
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1 || !same_file_system(s, &st)) {
		r = adopt_copy(s, path, sha256, name, err);
	} else {
		r = check_file(path, sha256, name, err);
		if (r == 0)
			r = sync_file(path, err);
		if (r == 0)
			r = store_place(s, path, sha256, err);
	}
	/* Nothing is kept where bytes are wrong, and no second copy where they are right. */
	(void)unlink(path);
	return r;
}

int store_add_bytes(const struct store *s, const void *data, size_t size,
		    char ret_sha256[static 65], struct error *err)
{
	CLEANUP_FREE char *path = NULL;
	struct digest digest;
	char hex[2 * DIGEST_MAX + 1];
	int r;

	digest_of(DIGEST_SHA256, data, size, &digest);
	digest_hex(&digest, hex);
	r = make_fan_out(s, hex, err);
	if (r < 0)
		return r;
	path = store_path(s, hex);
	r = io_write_file(path, data, size, OBJECT_MODE, err);
	if (r < 0)
		return r;
	memcpy(ret_sha256, hex, 65);
	return 0;
}

int store_verified(const struct store *s, const char *sha256, const char *name, char **ret,
		   struct error *err)
{
	CLEANUP_FREE char *path = store_path(s, sha256);
	char found[2 * DIGEST_MAX + 1];
	int r;

	if (!store_has(s, sha256))
		return error_outside(err, "%s (SHA-256 %s) is not in the store: run kiln fetch",
				     name, sha256);
	r = hash_file(path, found, err);
	if (r < 0)
		return error_wrap(err, "%s", name);
	if (strcmp(found, sha256) != 0)
		return error_outside(err,
				     "%s is damaged in the store (%s has SHA-256 %s): "
				     "run kiln fetch",
				     name, path, found);
	touch(path);
	*ret = TAKE_PTR(path);
	return 0;
}
