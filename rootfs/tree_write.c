/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../factory/base/buf.h"
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/process.h"
#include "../factory/format/tar.h"
#include "../factory/model/memory.h"
#include "tree.h"
#include "tree_path.h"
#include "tree_view.h"

/* Headers and small files are gathered; larger ones the kernel copies by itself. */
#define GATHER (1 << 20)
#define SMALL (64 << 10)
#define BUFFER_MAX (64 << 20)

struct output {
	const struct tree *tree;
	const char *name;
	int fd;
	int64_t mtime;
	uint64_t offset;		/* of what is written; `buf` comes behind */
	struct buf buf;
	const char **lower, **upper;	/* by a file's number in its archive: its first name here */
};

static void output_clear(struct output *out)
{
	if (out->fd >= 0)
		(void)close(out->fd);
	buf_free(&out->buf);
	free(out->lower);
	free(out->upper);
}
#define CLEANUP_OUTPUT __attribute__((cleanup(output_clear)))

static int flush(struct output *out, struct error *err)
{
	int r = io_pwrite_full(out->fd, out->buf.data, out->buf.len, out->offset, out->name, err);

	if (r < 0)
		return r;
	out->offset += out->buf.len;
	buf_truncate(&out->buf, 0);
	return 0;
}

/* ---------------------------------------------------------------- data */

static int gather(struct output *out, const struct tree_entry *file, struct error *err)
{
	uint8_t *room;
	int r = buf_reserve(&out->buf, (size_t)file->size, &room);

	if (r < 0)
		return error_system(err, r, "%s", out->name);
	r = io_pread_full(file->archive->fd, room, (size_t)file->size, file->offset, file->archive->name, err);
	if (r < 0)
		return r;
	out->buf.len += (size_t)file->size;
	return 0;
}

static int copy(struct output *out, const struct tree_entry *file, struct error *err)
{
	int r = flush(out, err);

	if (r == 0)
		r = io_copy_range(file->archive->fd, file->offset, out->fd, out->offset, file->size,
				  file->archive->name, err);
	if (r < 0)
		return r;
	out->offset += file->size;
	return 0;
}

static int add_data(struct output *out, const struct tree_entry *file, struct error *err)
{
	const size_t padding = (TAR_RECORD - file->size % TAR_RECORD) % TAR_RECORD;
	int r = file->size <= SMALL ? gather(out, file, err) : copy(out, file, err);

	if (r < 0)
		return r;
	r = buf_fill(&out->buf, 0, padding);
	return r < 0 ? error_system(err, r, "%s", out->name) : 0;
}

/* ---------------------------------------------------------------- members */

static const char **first_name(const struct output *out, const struct tree_entry *file)
{
	return &(file->archive == &out->tree->lower ? out->lower : out->upper)[file->number];
}

static int add_header(struct output *out, const struct tree_entry *e, const char *first, struct error *err)
{
	const struct tree_entry *file = tree_entry_file(e);
	CLEANUP_FREE struct tar_attribute *attributes =
		memory_new((file->attribute_count + 1) * sizeof(*attributes));
	struct tar_member m = {
		.path = e->path[0] ? e->path : ".", .type = (enum tar_type)file->type, .mode = file->mode,
		.uid = file->uid, .gid = file->gid, .size = file->size, .mtime = out->mtime,
		.major = file->major, .minor = file->minor, .link = file->link,
		.attributes = attributes,
	};
	int r;

	for (uint32_t i = 0; i < file->attribute_count; i++)
		attributes[i] = (struct tar_attribute) { file->attributes[i].name, file->attributes[i].value,
							 file->attributes[i].size };
	m.attribute_count = file->attribute_count;
	if (first) {
		m.type = TAR_HARD_LINK;
		m.link = first;
		m.size = m.attribute_count = 0;
		m.major = m.minor = 0;
	}
	r = tar_add_header(&out->buf, &m);
	return r < 0 ? error_system(err, r, "%s: %s", out->name, m.path) : 0;
}

static int add_member(struct output *out, const struct tree_entry *e, struct error *err)
{
	const struct tree_entry *file = tree_entry_file(e);
	const char **first = first_name(out, file);
	int r = add_header(out, e, *first, err);

	if (r == 0 && file->type == TAR_FILE && !*first)
		r = add_data(out, file, err);
	*first = *first ? *first : e->path;
	if (r == 0 && out->buf.len >= GATHER)
		r = flush(out, err);
	return r < 0 ? r : process_check_interrupt(err);
}

static bool left_out(const char *path, const char *const *without)
{
	for (; without && *without; without++) {
		const size_t size = strlen(*without);

		if ((*without)[size - 1] == '/') {
			if (strncmp(path, *without, size) == 0)
				return true;
		} else if (strcmp(path, *without) == 0 || tree_path_below(path, *without)) {
			return true;
		}
	}
	return false;
}

static int add_members(struct output *out, const char *const *without, struct error *err)
{
	const struct tree *t = out->tree;
	int r = 0;

	for (size_t i = 0; i < t->count && r == 0; i++)
		if (!left_out(t->entries[i]->path, without))
			r = add_member(out, t->entries[i], err);
	if (r < 0)
		return r;
	r = tar_add_end(&out->buf);
	return r < 0 ? error_system(err, r, "%s", out->name) : flush(out, err);
}

int tree_write(const struct tree *t, const char *path, int64_t mtime, const char *const *without,
	       struct error *err)
{
	CLEANUP_OUTPUT struct output out = {
		.tree = t, .name = path, .mtime = mtime, .buf = BUF_INIT(BUFFER_MAX),
		.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644),
		.lower = memory_new((t->lower.all_count + 1) * sizeof(*out.lower)),
		.upper = memory_new((t->upper.all_count + 1) * sizeof(*out.upper)),
	};

	if (out.fd < 0)
		return error_system(err, errno, "cannot create %s", path);
	return add_members(&out, without, err);
}
