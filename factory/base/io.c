/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "error.h"
#include "io.h"

#define READ_CHUNK ((size_t)64 << 10)

char *string_printf(const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		error_no_memory();
	return text;
}

char *string_copy(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		error_no_memory();
	return copy;
}

char *path_join(const char *dir, const char *name)
{
	size_t len = strlen(dir);

	while (name[0] == '/')
		name++;
	return string_printf("%s%s%s", dir, len && dir[len - 1] != '/' ? "/" : "", name);
}

char *path_directory(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return string_copy(".");
	if (slash == path)
		return string_copy("/");
	return string_printf("%.*s", (int)(slash - path), path);
}

static int too_large(struct error *err, const char *path, size_t max)
{
	(void)error_input(err, "%s is larger than %zu bytes", path, max);
	err->code = EFBIG;
	return -EFBIG;
}

/* Until the end, and not st_size bytes: files in /proc and /sys have no size. */
static int read_to_end(int fd, struct buf *content)
{
	uint8_t chunk[READ_CHUNK];
	ssize_t n;
	int r;

	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		r = buf_add(content, chunk, (size_t)n);
		if (r < 0)
			return r;
	}
	return 0;
}

int io_read_file(const char *path, size_t max, struct buf *ret, struct error *err)
{
	CLEANUP_BUF struct buf content = BUF_INIT(max);
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t ret_max = ret->max;
	int r;

	if (fd < 0)
		return error_system(err, errno, "cannot open %s", path);
	r = read_to_end(fd, &content);
	if (r == -EFBIG)
		return too_large(err, path, max);
	if (r < 0)
		return error_system(err, r, "cannot read %s", path);

	buf_free(ret);
	*ret = content;
	ret->max = ret_max > max ? ret_max : max;
	content = (struct buf)BUF_INIT(max);
	return 0;
}

static int fill_and_sync(int fd, const void *data, size_t size, mode_t mode, const char *name,
			 struct error *err)
{
	int r = io_pwrite_full(fd, data, size, 0, name, err);

	if (r < 0)
		return r;
	/* The mode asked for, whatever the umask: files that reach an image may not depend on it. */
	if (fchmod(fd, mode) < 0)
		return error_system(err, errno, "cannot set the mode of %s", name);
	if (fsync(fd) < 0)
		return error_system(err, errno, "cannot write %s to disk", name);
	return 0;
}

int io_write_file(const char *path, const void *data, size_t size, mode_t mode, struct error *err)
{
	CLEANUP_FREE char *dir = path_directory(path);
	CLEANUP_UNLINK_FREE char *temporary = path_join(dir, ".kiln-XXXXXX");
	CLEANUP_CLOSE int fd = mkostemp(temporary, O_CLOEXEC);
	int r;

	if (fd < 0) {
		r = error_system(err, errno, "cannot create %s", path);
		free(TAKE_PTR(temporary));
		return r;
	}
	r = fill_and_sync(fd, data, size, mode, path, err);
	if (r < 0)
		return r;
	if (rename(temporary, path) < 0)
		return error_system(err, errno, "cannot create %s", path);
	free(TAKE_PTR(temporary));
	return io_sync_dir(dir, err);
}

int io_update_file(const char *path, const void *data, size_t size, mode_t mode, struct error *err)
{
	CLEANUP_IO_MAP struct io_map map = { .data = NULL };
	struct error ignored = ERROR_INIT;

	/* A file that cannot be read is one to write. */
	if (io_exists(path) && io_map_file(path, &map, &ignored) == 0 && map.size == size &&
	    memcmp(map.data, data, size) == 0)
		return 0;
	return io_write_file(path, data, size, mode, err);
}

int io_map_file(const char *path, struct io_map *ret, struct error *err)
{
	static const uint8_t nothing[1];
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0)
		return error_system(err, errno, "cannot open %s", path);
	if (fstat(fd, &st) < 0)
		return error_system(err, errno, "cannot stat %s", path);
	if (!S_ISREG(st.st_mode))
		return error_input(err, "%s is not a regular file", path);
	if (st.st_size == 0) {
		*ret = (struct io_map){ .data = nothing };
		return 0;
	}
	if ((uintmax_t)st.st_size > SIZE_MAX)
		return error_system(err, EFBIG, "cannot map %s", path);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return error_system(err, errno, "cannot map %s", path);
	*ret = (struct io_map){ .data = p, .size = (size_t)st.st_size };
	return 0;
}

void io_unmap(struct io_map *map)
{
	if (map->size)
		(void)munmap((void *)(uintptr_t)map->data, map->size);
	*map = (struct io_map){ .data = NULL };
}

int io_pread_full(int fd, void *data, size_t size, uint64_t offset, const char *name,
		  struct error *err)
{
	uint8_t *p = data;
	ssize_t n;

	while (size) {
		n = pread(fd, p, size, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_system(err, errno, "cannot read %s at offset %" PRIu64, name,
					    offset);
		if (n == 0)
			return error_input(err, "%s ends at offset %" PRIu64 ", %zu bytes too early",
					   name, offset, size);
		p += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

int io_pwrite_full(int fd, const void *data, size_t size, uint64_t offset, const char *name,
		   struct error *err)
{
	const uint8_t *p = data;
	ssize_t n;

	while (size) {
		n = pwrite(fd, p, size, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_system(err, n < 0 ? errno : EIO,
					    "cannot write %s at offset %" PRIu64, name, offset);
		p += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}
