/* SPDX-License-Identifier: Apache-2.0 */
#include "store_import.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/digest.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "../factory/base/log.h"
#include "../factory/base/process.h"
#include "../factory/model/description.h"
#include "../factory/model/memory.h"
#include "packages/packages.h"
#include "packages/store.h"
#include "packages/store_needs.h"
#include "store_archive.h"

#define MIB (1 << 20)
#define CHUNK ((size_t)256 << 10)
/* Of all locks of an archive together. */
#define LOCKS_MAX ((uint64_t)64 << 20)

enum state { ABSENT, IN_STORE, IN_SCRATCH };

struct import {
	const struct store *store;
	const char *file;
	int fd;
	uint64_t offset, total; /* of the archive: how far it is read, and its size */
	struct store_archive archive;
	struct store_member member; /* whose header has been read last */
	uint64_t locks_size;
	struct store_import_result result;
	struct store_needs needs;
	enum state *states; /* of the needs */
	struct scratch scratch;
	uint8_t *chunk;
};

static void free_import(struct import *import)
{
	cleanup_close(&import->fd);
	store_import_result_free(&import->result);
	store_needs_free(&import->needs);
	free(import->states);
	io_scratch_free(&import->scratch);
	free(import->chunk);
}

void store_import_result_free(struct store_import_result *result)
{
	image_locks_free(&result->locks);
}

/* ---------------------------------------------------------------- reading */

/* Not mapped: a stick that is pulled out must be an error, not a signal. */
static int read_bytes(struct import *import, void *data, size_t size, struct error *err)
{
	int r = io_pread_full(import->fd, data, size, import->offset, import->file, err);

	import->offset += size;
	return r;
}

static int read_header(struct import *import, struct error *err)
{
	uint8_t record[TAR_RECORD];
	uint64_t at = import->offset;
	int r = read_bytes(import, record, sizeof(record), err);

	if (r < 0)
		return r;
	r = store_archive_next(&import->archive, record, &import->member, err);
	if (r < 0)
		return error_wrap(err,
				  "%s is not as \"kiln store export\" writes it, at byte %" PRIu64,
				  import->file, at);
	return 0;
}

static void skip_padding(struct import *import)
{
	import->offset += (TAR_RECORD - import->member.size % TAR_RECORD) % TAR_RECORD;
}

static int open_archive(struct import *import, struct error *err)
{
	off_t end;
	int r;

	import->fd = open(import->file, O_RDONLY | O_CLOEXEC);
	if (import->fd < 0 && errno == ENOENT)
		return error_input(err, "there is no archive %s", import->file);
	if (import->fd < 0)
		return error_system(err, errno, "cannot open %s", import->file);
	/* The end and not st_size: a whole stick may be the archive. */
	end = lseek(import->fd, 0, SEEK_END);
	if (end < 0)
		return error_system(err, errno, "%s must be a file or a disk", import->file);
	import->total = (uint64_t)end;
	r = read_header(import, err);
	if (r == 0 && import->member.kind != STORE_MEMBER_LOCK)
		return error_input(err,
				   "%s is not as \"kiln store export\" writes it: it begins "
				   "without a lock",
				   import->file);
	return r;
}

/* ---------------------------------------------------------------- locks */

static int read_lock(struct import *import, struct error *err)
{
	struct image_locks *locks = &import->result.locks;
	CLEANUP_FREE char *name =
		string_printf("%s: images/%s/kiln.lock", import->file, import->member.name);
	uint64_t size = import->member.size;
	struct image_lock *item;
	int r;

	if (size > LOCK_TEXT_MAX || (import->locks_size += size) > LOCKS_MAX)
		return error_input(err, "%s: is too large for a lock", name);
	item = memory_append(&locks->items, locks->count, sizeof(*item));
	locks->count++;
	item->name = string_copy(import->member.name);
	item->text = (struct buf)BUF_INIT(LOCK_TEXT_MAX);
	r = buf_fill(&item->text, 0, (size_t)size);
	if (r < 0)
		return error_system(err, r, "%s", name);
	r = read_bytes(import, item->text.data, (size_t)size, err);
	if (r < 0)
		return r;
	skip_padding(import);
	return lock_parse(item->text.data, item->text.len, name, &item->lock, err);
}

static int read_locks(struct import *import, struct error *err)
{
	int r = 0;

	while (r == 0 && import->member.kind == STORE_MEMBER_LOCK) {
		r = read_lock(import, err);
		if (r == 0)
			r = read_header(import, err);
	}
	return r;
}

static int refuse_image(const struct import *import, const struct description *description,
			struct error *err)
{
	const struct image_locks *locks = &import->result.locks;

	return error_input(err, "%s holds no image \"%s\", which %s describes; it holds \"%s\"%s",
			   import->file, description->name, description->file, locks->items[0].name,
			   locks->count > 1 ? " and others" : "");
}

/* Nobody's lock moves by accident. */
static int check_place(const struct image_lock *item, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(LOCK_TEXT_MAX);
	int r;

	if (!io_exists(item->path))
		return 0;
	r = io_read_file(item->path, LOCK_TEXT_MAX, &text, err);
	if (r < 0)
		return r;
	if (text.len == item->text.len && memcmp(text.data, item->text.data, text.len) == 0)
		return 0;
	return error_input(err,
			   "%s is another lock than that of the archive: remove it to take the "
			   "archive's, or import without naming the image",
			   item->path);
}

static int claim_lock(struct import *import, const char *directory, struct error *err)
{
	CLEANUP_DESCRIPTION struct description *description = NULL;
	struct image_lock *item;
	int r;

	r = description_read(directory, &description, err);
	if (r < 0)
		return r;
	item = image_locks_find(&import->result.locks, description->name);
	if (!item)
		return refuse_image(import, description, err);
	if (item->path)
		return error_input(err, "%s: an image called \"%s\" has been named already",
				   directory, description->name);
	r = packages_check_lock(description, item->lock, err);
	if (r < 0)
		return error_wrap(err, "%s was made of another state of the description",
				  import->file);
	item->path = path_join(directory, "kiln.lock");
	return check_place(item, err);
}

/* ---------------------------------------------------------------- objects */

static char *scratch_path(const struct import *import, const char *sha256)
{
	return path_join(import->scratch.path, sha256);
}

/* `fd` -1: the bytes are only hashed. */
static int copy_object(struct import *import, int fd, const char *path, struct digest *ret,
		       struct error *err)
{
	CLEANUP_DIGESTER struct digester *digester = digester_new(DIGEST_SHA256);
	uint64_t size = import->member.size, done = 0;
	int r = 0;

	while (r == 0 && done < size) {
		size_t part = size - done < CHUNK ? (size_t)(size - done) : CHUNK;

		r = process_check_interrupt(err);
		if (r == 0)
			r = read_bytes(import, import->chunk, part, err);
		if (r < 0)
			return r;
		digester_add(digester, import->chunk, part);
		if (fd >= 0)
			r = io_pwrite_full(fd, import->chunk, part, done, path, err);
		done += part;
		log_step_update(import->offset / MIB, (import->total + MIB - 1) / MIB, "MiB");
	}
	if (r == 0 && fd >= 0 && fsync(fd) < 0)
		return error_system(err, errno, "cannot bring %s to the disk", path);
	if (r == 0)
		digester_final(digester, ret);
	return r;
}

static int check_size(const struct import *import, const struct store_need *need, struct error *err)
{
	if (need->size == UINT64_MAX && import->member.size <= STORE_INDEX_MAX)
		return 0;
	if (need->size == import->member.size)
		return 0;
	return error_input(err, "%s: %s has %" PRIu64 " bytes, which it cannot have", import->file,
			   need->name, import->member.size);
}

static int take_object(struct import *import, const struct store_need *need, bool there,
		       struct error *err)
{
	CLEANUP_FREE char *path = scratch_path(import, need->sha256);
	CLEANUP_CLOSE int fd = -1;
	char found[2 * DIGEST_MAX + 1];
	struct digest digest;
	int r;

	if (!there) {
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0)
			return error_system(err, errno, "cannot create %s", path);
	}
	r = copy_object(import, fd, path, &digest, err);
	if (r < 0)
		return r;
	digest_hex(&digest, found);
	if (strcmp(found, need->sha256) != 0)
		return error_input(err,
				   "%s is damaged: the SHA-256 of %s in it is %s, the lock says %s",
				   import->file, need->name, found, need->sha256);
	skip_padding(import);
	return 0;
}

static int read_object(struct import *import, struct error *err)
{
	const struct store_need *need = store_needs_find(&import->needs, import->member.name);
	CLEANUP_FREE char *path = NULL;
	struct error why = ERROR_INIT;
	bool there;
	int r;

	if (!need)
		return error_input(err, "%s: no lock in it names the object %s", import->file,
				   import->member.name);
	r = check_size(import, need, err);
	if (r < 0)
		return r;
	there = store_verified(import->store, need->sha256, need->name, &path, &why) == 0;
	r = take_object(import, need, there, err);
	if (r < 0)
		return r;
	import->states[need - import->needs.items] = there ? IN_STORE : IN_SCRATCH;
	import->result.size += import->member.size;
	return 0;
}

static int check_whole(const struct import *import, struct error *err)
{
	for (size_t i = 0; i < import->needs.count; i++)
		if (import->states[i] == ABSENT)
			return error_input(err, "%s lacks %s (SHA-256 %s)", import->file,
					   import->needs.items[i].name,
					   import->needs.items[i].sha256);
	return 0;
}

static int read_objects(struct import *import, struct error *err)
{
	int r = 0;

	store_needs_make(&import->result.locks, &import->needs);
	import->states = memory_new((import->needs.count + 1) * sizeof(*import->states));
	import->chunk = memory_new(CHUNK);
	/* No lock can come any more: the archive's order is its names'. */
	while (r == 0 && import->member.kind == STORE_MEMBER_OBJECT) {
		r = read_object(import, err);
		if (r == 0)
			r = read_header(import, err);
	}
	return r < 0 ? r : check_whole(import, err);
}

/* ---------------------------------------------------------------- putting in place */

static int place_objects(struct import *import, struct error *err)
{
	int r = 0;

	import->result.count = import->needs.count;
	for (size_t i = 0; r == 0 && i < import->needs.count; i++) {
		const char *sha256 = import->needs.items[i].sha256;
		CLEANUP_FREE char *path = scratch_path(import, sha256);

		if (import->states[i] != IN_SCRATCH)
			continue;
		r = store_place(import->store, path, sha256, err);
		import->result.fresh++;
	}
	return r;
}

/* Last: a lock promises that what it names can be had. */
static int place_locks(const struct import *import, struct error *err)
{
	const struct image_locks *locks = &import->result.locks;
	int r = 0;

	for (size_t i = 0; r == 0 && i < locks->count; i++) {
		const struct image_lock *item = &locks->items[i];

		if (item->path && !io_exists(item->path))
			r = io_write_file(item->path, item->text.data, item->text.len, 0644, err);
	}
	return r;
}

static int read_and_place(struct import *import, struct error *err)
{
	int r;

	log_step_begin(1, 1, "read the archive");
	r = io_scratch_new(store_directory(import->store), &import->scratch, err);
	if (r == 0)
		r = read_objects(import, err);
	if (r == 0)
		r = place_objects(import, err);
	if (r == 0)
		r = place_locks(import, err);
	log_step_end(r < 0 ? "failed" : "done");
	return r;
}

int store_import(const struct store *s, const char *path, char *const *directories,
		 struct store_import_result *ret, struct error *err)
{
	__attribute__((cleanup(free_import))) struct import import = {
		.store = s,
		.file = path,
		.fd = -1,
		.scratch = SCRATCH_INIT,
	};
	int r;

	r = open_archive(&import, err);
	if (r == 0)
		r = read_locks(&import, err);
	for (; r == 0 && *directories; directories++)
		r = claim_lock(&import, *directories, err);
	if (r == 0)
		r = read_and_place(&import, err);
	if (r < 0)
		return r;
	*ret = import.result;
	import.result = (struct store_import_result){.count = 0};
	return 0;
}
