/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "factory/base/buf.h"
#include "factory/base/bytes.h"
#include "factory/base/error.h"
#include "factory/format/tar_fields.h"
#include "rootfs/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CONTENTS_MAX (1 << 20)

/* A file in memory, and a name to open it by. */
struct file {
	int fd;
	char path[32];
};

static struct file make_file(const void *data, size_t size)
{
	struct file f = { .fd = memfd_create("tar", MFD_CLOEXEC) };

	if (f.fd < 0 || write(f.fd, data, size) != (ssize_t)size)
		abort();
	snprintf(f.path, sizeof(f.path), "/proc/self/fd/%d", f.fd);
	return f;
}

/* A checksum keeps most of what a fuzzer changes from being looked at: each header gets its own. */
static void mend(uint8_t *data, size_t size)
{
	for (; size >= TAR_HEADER_SIZE; data += TAR_HEADER_SIZE, size -= TAR_HEADER_SIZE)
		if (memcmp(data + TAR_MAGIC, TAR_MAGIC_TEXT, TAR_MAGIC_SIZE) == 0)
			snprintf((char *)data + TAR_CHECKSUM, 7, "%06o", tar_checksum(data));
}

static struct file make_archive(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct file f;

	if (!copy)
		abort();
	memcpy(copy, data, size);
	mend(copy, size);
	f = make_file(copy, size);
	free(copy);
	return f;
}

static void write_tree(const struct tree *t, const struct file *to)
{
	struct error err = ERROR_INIT;

	if (tree_write(t, to->path, 1, NULL, &err) < 0)
		abort();
}

static bool same(const struct file *a, const struct file *b)
{
	const off_t size = lseek(a->fd, 0, SEEK_END);
	char x[4096], y[4096];

	if (size != lseek(b->fd, 0, SEEK_END))
		return false;
	for (off_t at = 0; at < size; at += (off_t)sizeof(x)) {
		ssize_t n = pread(a->fd, x, sizeof(x), at);

		if (n <= 0 || pread(b->fd, y, sizeof(y), at) != n || memcmp(x, y, (size_t)n) != 0)
			return false;
	}
	return true;
}

/* Every name can be looked up, whatever links do, and nothing is read that is not there. */
static void visit(const struct tree *t, const char *directory, int depth)
{
	size_t position = 0;
	const char *name;

	while (depth < 3 && (name = tree_list(t, directory, &position))) {
		struct buf contents = BUF_INIT(CONTENTS_MAX);
		struct error err = ERROR_INIT;
		char path[4200];

		if (strchr(name, '/') || strcmp(name, "..") == 0 || strcmp(name, ".") == 0 || !*name)
			abort();
		snprintf(path, sizeof(path), "%s/%s", directory, name);
		if (tree_read(t, path, &contents, &err) == 0 && !tree_has(t, path))
			abort();
		buf_free(&contents);
		visit(t, path, depth + 1);
	}
}

/* What was merged is a tree like any other, and one tree is one row of bytes. */
static void check(const struct tree *t)
{
	struct file once = make_file("", 0), twice = make_file("", 0);
	struct error err = ERROR_INIT;
	struct tree *again;

	write_tree(t, &once);
	if (tree_open(once.path, &again, &err) < 0)
		abort();
	write_tree(again, &twice);
	if (!same(&once, &twice))
		abort();
	visit(again, "", 0);
	tree_free(again);
	close(once.fd);
	close(twice.fd);
}

/* Four bytes: the size of the packages' archive, which follows; then that of the changes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = ERROR_INIT;
	struct file packages, changes;
	struct tree *t;
	size_t lower;

	if (size < 4)
		return 0;
	lower = read_le32(data);
	data += 4;
	size -= 4;
	if (lower > size)
		return 0;
	packages = make_archive(data, lower);
	changes = make_archive(data + lower, size - lower);
	if (tree_merge(packages.path, changes.path, &t, &err) == 0) {
		check(t);
		tree_free(t);
	}
	close(packages.fd);
	close(changes.fd);
	return 0;
}
