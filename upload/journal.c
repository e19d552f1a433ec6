/* SPDX-License-Identifier: Apache-2.0 */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/fields.h"
#include "../factory/base/hex.h"
#include "../factory/base/io.h"
#include "../factory/model/memory.h"

#define DIRECTORY "uploads"
/* A line for each block of a volume of 1 TiB is some 180 MiB. */
#define JOURNAL_MAX ((size_t)1 << 30)

struct journal {
	char *directory, *path;
	int lock;
	int fd;				/* for appending; -1: no journal is there */
	uint64_t size;
	struct journal_state state;
};

void journal_free(struct journal *j)
{
	if (!j)
		return;
	if (j->fd >= 0)
		close(j->fd);
	if (j->lock >= 0)
		close(j->lock);
	journal_state_free(&j->state);
	free(j->directory);
	free(j->path);
	free(j);
}

void journal_freep(struct journal **j)
{
	journal_free(*j);
}

const struct journal_state *journal_state(const struct journal *j)
{
	return &j->state;
}

const char *journal_path(const struct journal *j)
{
	return j->path;
}

const char *journal_directory(const struct journal *j)
{
	return j->directory;
}

/* ---------------------------------------------------------------- opening */

static int take_lock(struct journal *j, struct error *err)
{
	CLEANUP_FREE char *path = string_printf("%s.lock", j->path);

	j->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (j->lock < 0)
		return error_system(err, errno, "cannot create %s", path);
	if (flock(j->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return error_system(err, errno, "cannot lock %s", path);
	return error_input(err, "another process is at work on this upload: it has %s", path);
}

static int open_to_append(struct journal *j, uint64_t size, struct error *err)
{
	j->fd = open(j->path, O_WRONLY | O_CLOEXEC);
	if (j->fd < 0)
		return error_system(err, errno, "cannot open %s", j->path);
	j->size = size;
	if (ftruncate(j->fd, (off_t)size) < 0)
		return error_system(err, errno, "cannot shorten %s", j->path);
	return 0;
}

static int read_journal(struct journal *j, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(JOURNAL_MAX);
	size_t valid = 0;
	int r;

	if (!io_exists(j->path))
		return 0;
	r = io_read_file(j->path, JOURNAL_MAX, &text, err);
	if (r == 0)
		r = journal_parse(buf_text(&text), text.len, j->path, &j->state, &valid, err);
	if (r == 0)
		r = open_to_append(j, valid, err);
	return r;
}

int journal_open(const char *directory, const char *region, struct journal **ret, struct error *err)
{
	CLEANUP_JOURNAL struct journal *j = memory_new(sizeof(*j));
	int r;

	j->fd = j->lock = -1;
	j->directory = path_join(directory, DIRECTORY);
	j->path = string_printf("%s/%s.journal", j->directory, region);
	r = io_mkdirs(j->directory, 0755, err);
	if (r == 0)
		r = take_lock(j, err);
	if (r == 0)
		r = read_journal(j, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(j);
	return 0;
}

/* ---------------------------------------------------------------- noting */

static int explain(const struct journal *j, struct error *err)
{
	(void)error_wrap(err, "the upload stops, for what was sent cannot be noted");
	if (err->code == ENOSPC || err->code == EDQUOT) {
		size_t used = strlen(err->message);

		(void)snprintf(err->message + used, sizeof(err->message) - used,
			       ": make room where %s lies and call again, it goes on from there", j->path);
	}
	return -err->code;
}

/* Half a line that a full disk left is overwritten by the next, or dropped by the next reader. */
static int append(struct journal *j, const struct buf *line, bool sync, struct error *err)
{
	int r = io_pwrite_full(j->fd, line->data, line->len, j->size, j->path, err);

	if (r == 0 && sync && fdatasync(j->fd) < 0)
		r = error_system(err, errno, "cannot write %s to disk", j->path);
	if (r < 0)
		return explain(j, err);
	j->size += line->len;
	return 0;
}

#define note(j, sync, err, ...) note_list(j, sync, (const char *const[]) { __VA_ARGS__, NULL }, err)

static int note_list(struct journal *j, bool sync, const char *const *fields, struct error *err)
{
	CLEANUP_BUF struct buf line = BUF_INIT(SIZE_MAX);

	fields_add_list(&line, fields);
	return append(j, &line, sync, err);
}

/* The text takes the place of the journal, whole or not at all. */
static int replace(struct journal *j, const struct buf *text, struct error *err)
{
	size_t valid = 0;
	int r = io_write_file(j->path, text->data, text->len, 0644, err);

	if (r < 0)
		return explain(j, err);
	if (j->fd >= 0)
		close(TAKE_FD(j->fd));
	journal_state_free(&j->state);
	r = journal_parse(buf_text(text), text->len, j->path, &j->state, &valid, err);
	return r < 0 ? r : open_to_append(j, valid, err);
}

static void add_head(struct buf *text, const char *disk, const char *data_sha256, const char *request)
{
	fields_add(text, "kiln-upload", "1");
	fields_add(text, "disk", disk, data_sha256);
	fields_add(text, "request", request);
}

int journal_begin(struct journal *j, const char *disk, const char *data_sha256, const char *request,
		  struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(SIZE_MAX);

	add_head(&text, disk, data_sha256, request);
	return replace(j, &text, err);
}

int journal_forget_blocks(struct journal *j, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(SIZE_MAX);

	add_head(&text, j->state.disk, j->state.data_sha256, j->state.request);
	fields_add(&text, "snapshot", j->state.snapshot);
	return replace(j, &text, err);
}

int journal_snapshot(struct journal *j, const char *id, struct error *err)
{
	int r = note(j, true, err, "snapshot", id);

	if (r == 0)
		j->state.snapshot = string_copy(id);
	return r;
}

int journal_block(struct journal *j, uint32_t block, const uint8_t digest[static BLOCK_DIGEST_SIZE],
		  struct error *err)
{
	char number[16], hex[2 * BLOCK_DIGEST_SIZE + 1];

	(void)snprintf(number, sizeof(number), "%" PRIu32, block);
	hex_encode(digest, BLOCK_DIGEST_SIZE, hex);
	return note(j, false, err, "block", number, hex);
}

int journal_complete(struct journal *j, struct error *err)
{
	int r = note(j, true, err, "complete");

	if (r == 0)
		j->state.complete = true;
	return r;
}

int journal_image(struct journal *j, const char *id, struct error *err)
{
	int r = note(j, true, err, "image", id);

	if (r == 0)
		j->state.image = string_copy(id);
	return r;
}

int journal_remove(struct journal *j, struct error *err)
{
	if (unlink(j->path) < 0 && errno != ENOENT)
		return error_system(err, errno, "cannot remove %s", j->path);
	if (j->fd >= 0)
		close(TAKE_FD(j->fd));
	journal_state_free(&j->state);
	return io_sync_dir(j->directory, err);
}
