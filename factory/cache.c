/* SPDX-License-Identifier: Apache-2.0 */
#include "cache.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/fields.h"
#include "base/io.h"
#include "base/log.h"
#include "base/process.h"
#include "cache_record.h"

#define RECORD ".record"
#define STAMPS ".stamps"

/* A record has a line for each file of a tree: room for some millions. */
#define TEXT_MAX ((size_t)1 << 30)
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

void cache_entry_clear(struct cache_entry *e)
{
	cleanup_close(&e->held);
	free(e->inputs);
	free(e->path);
	*e = (struct cache_entry) CACHE_ENTRY_INIT;
}

/* ---------------------------------------------------------------- holding */

static int lock_waiting(int fd, int operation, const char *path, struct error *err)
{
	int r = 0;

	while (flock(fd, operation) < 0) {
		if (errno != EINTR)
			return error_system(err, errno, "cannot lock %s (is it on a network file system?)", path);
		r = process_check_interrupt(err);
		if (r < 0)
			return r;
	}
	return r;
}

bool cache_is_at(int fd, const char *path)
{
	struct stat open_st, st;

	return fstat(fd, &open_st) == 0 && stat(path, &st) == 0 && open_st.st_dev == st.st_dev &&
	       open_st.st_ino == st.st_ino;
}

int cache_hold(struct cache_entry *e, struct error *err)
{
	/* Another build may remove the entry, or put another in its place, before we have the lock. */
	for (;;) {
		CLEANUP_CLOSE int fd = open(e->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		int r;

		/* What is no directory is no entry, and gives way to one like any other damage. */
		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
			return 0;
		if (fd < 0)
			return error_system(err, errno, "cannot open %s", e->path);
		r = lock_waiting(fd, LOCK_SH, e->path, err);
		if (r < 0)
			return r;
		if (cache_is_at(fd, e->path)) {
			cleanup_close(&e->held);
			e->held = TAKE_FD(fd);
			return 0;
		}
	}
}

void cache_touch(const struct cache_entry *e)
{
	static const struct timespec now[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_NOW } };

	/* Where the cache may not be written to, nothing can be removed from it either. */
	if (e->held >= 0 && utimensat(e->held, CACHE_USED, now, 0) < 0)
		log_debug("cannot note the use of %s: %s", e->path, strerror(errno));
}

/* ---------------------------------------------------------------- checking */

/*
 * Stamps say nothing about files that a power failure may have taken the data of, so they hold for one boot. False
 * where that has no name: then no stamp is believed.
 */
static bool begin_stamps(const struct buf *record, struct buf *text)
{
	CLEANUP_BUF struct buf boot = BUF_INIT(64);
	struct error err = ERROR_INIT;
	char hex[2 * DIGEST_MAX + 1];
	struct digest digest;

	if (io_read_file(BOOT_ID, boot.max, &boot, &err) < 0)
		return false;
	buf_truncate(&boot, strcspn(buf_text(&boot), "\n"));
	digest_of(DIGEST_SHA256, record->data, record->len, &digest);
	digest_hex(&digest, hex);
	fields_add(text, "kiln stage stamps 1", buf_text(&boot), hex);
	return true;
}

static void begin_record(const struct cache_entry *e, struct buf *text)
{
	fields_add(text, "kiln stage outputs 1", e->stage, e->key);
}

/* Reads one of the entry's own files; what cannot be read is damage. */
static char *read_own(const struct cache_entry *e, const char *name, struct buf *ret)
{
	CLEANUP_FREE char *path = path_join(e->path, name);
	struct error err = ERROR_INIT;

	if (!io_exists(path))
		return string_printf("its %s is missing", name + 1);
	return io_read_file(path, TEXT_MAX, ret, &err) < 0 ? string_copy(err.message) : NULL;
}

/* Is this entry where its key says? Else it was moved here from another key's place. */
static char *check_place(const struct cache_entry *e, struct buf *record)
{
	CLEANUP_BUF struct buf inputs = BUF_INIT(TEXT_MAX), begin = BUF_INIT(SIZE_MAX);
	char *damage = read_own(e, CACHE_INPUTS, &inputs);

	if (!damage)
		damage = read_own(e, RECORD, record);
	if (damage)
		return damage;
	begin_record(e, &begin);
	if (strcmp(buf_text(&inputs), e->inputs) || record->len < begin.len ||
	    memcmp(record->data, begin.data, begin.len))
		return string_copy("it belongs to another key");
	return NULL;
}

/* io_write_file() without its syncs. */
static int put(const char *directory, const char *name, const void *data, size_t size, struct error *err)
{
	CLEANUP_FREE char *path = path_join(directory, name);
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		return error_system(err, errno, "cannot create %s", path);
	return io_pwrite_full(fd, data, size, 0, path, err);
}

/* Written elsewhere first: nothing half-written may lie about in an entry. */
static void note_stamps(const struct cache_entry *e, const struct buf *stamps, const char *tmp)
{
	CLEANUP_FREE char *path = path_join(e->path, STAMPS), *fresh = path_join(tmp, STAMPS);
	struct error err = ERROR_INIT;

	if (put(tmp, STAMPS, stamps->data, stamps->len, &err) < 0)
		log_debug("%s", err.message);
	else if (rename(fresh, path) < 0)
		log_debug("%s: %s", path, strerror(errno));
}

static int compare_contents(const struct cache_entry *e, const struct buf *record, char **ret_damage,
			    struct error *err)
{
	CLEANUP_BUF struct buf then = BUF_INIT(SIZE_MAX), now = BUF_INIT(SIZE_MAX), begin = BUF_INIT(SIZE_MAX);
	int r;

	log_debug("%s: reading the outputs of %s again", e->stage, e->path);
	r = cache_record_contents(e->path, e->outputs, &now, err);
	if (r < 0)
		return r;
	begin_record(e, &begin);
	if (buf_add(&then, record->data + begin.len, record->len - begin.len) < 0)
		error_no_memory();
	*ret_damage = cache_record_difference(&then, &now);
	return 0;
}

static int check_outputs(const struct cache_entry *e, const char *tmp, const struct buf *record,
			 char **ret_damage, struct error *err)
{
	CLEANUP_BUF struct buf noted = BUF_INIT(TEXT_MAX), now = BUF_INIT(SIZE_MAX);
	CLEANUP_FREE char *lost = read_own(e, STAMPS, &noted);	/* costs time, and no more */
	bool believed = begin_stamps(record, &now);
	int r = cache_record_stamps(e->path, e->outputs, &now, err);

	if (r < 0 || (believed && !lost && strcmp(buf_text(&noted), buf_text(&now)) == 0))
		return r;
	r = compare_contents(e, record, ret_damage, err);
	if (r == 0 && !*ret_damage && believed)
		note_stamps(e, &now, tmp);
	return r;
}

int cache_check(const struct cache_entry *e, const char *tmp, char **ret_damage, struct error *err)
{
	CLEANUP_BUF struct buf record = BUF_INIT(TEXT_MAX);
	char *damage = check_place(e, &record);
	struct error found = ERROR_INIT;
	int r = damage ? 0 : check_outputs(e, tmp, &record, &damage, &found);

	/* What cannot be read is as good as not there, unless it was the user who ended the reading. */
	if (r == -EINTR) {
		*err = found;
		return r;
	}
	*ret_damage = r < 0 ? string_copy(found.message) : damage;
	return 0;
}

/* ---------------------------------------------------------------- making */

static char *claim_path(const struct cache_entry *e)
{
	return string_printf("%s" CACHE_CLAIM, e->path);
}

static int claim_once(const char *path, const char *stage, struct error *err)
{
	CLEANUP_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	int r = 0;

	if (fd < 0)
		return error_system(err, errno, "cannot open the lock %s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		log_info("%s: another build is at this: waiting for it", stage);
		r = lock_waiting(fd, LOCK_EX, path, err);
	}
	return r < 0 ? r : TAKE_FD(fd);
}

int cache_claim(const struct cache_entry *e, int *ret, struct error *err)
{
	CLEANUP_FREE char *path = claim_path(e);
	CLEANUP_CLOSE int fd = -1;

	/* Who had the claim before has removed the file; a lock on what nobody else can open is none. */
	do {
		cleanup_close(&fd);
		fd = claim_once(path, e->stage, err);
		if (fd < 0)
			return fd;
	} while (!cache_is_at(fd, path));
	*ret = TAKE_FD(fd);
	return 0;
}

void cache_unclaim(const struct cache_entry *e, int *claim)
{
	CLEANUP_FREE char *path = claim_path(e);

	if (*claim < 0)
		return;
	(void)unlink(path);	/* what stays is swept with the next eviction */
	(void)close(TAKE_FD(*claim));
}

static int check_made(const struct cache_entry *e, const char *made, struct error *err)
{
	for (const char *const *output = e->outputs; *output; output++) {
		CLEANUP_FREE char *path = path_join(made, *output);

		if (!io_exists(path))
			return error_outside(err, "the stage ended without its result %s", *output);
	}
	return 0;
}

static int put_record(const struct cache_entry *e, const char *made, struct error *err)
{
	CLEANUP_BUF struct buf record = BUF_INIT(SIZE_MAX), stamps = BUF_INIT(SIZE_MAX);
	int r;

	begin_record(e, &record);
	r = cache_record_contents(made, e->outputs, &record, err);
	if (r < 0)
		return r;
	(void)begin_stamps(&record, &stamps);	/* then the next build has to read */
	r = cache_record_stamps(made, e->outputs, &stamps, err);
	if (r == 0)
		r = put(made, RECORD, record.data, record.len, err);
	if (r == 0)
		r = put(made, STAMPS, stamps.data, stamps.len, err);
	return r;
}

static int put_usage(const struct cache_entry *e, const char *made, struct error *err)
{
	uint64_t usage = 0;
	char text[24];
	int r = cache_record_usage(made, e->outputs, &usage, err);

	if (r < 0)
		return r;
	snprintf(text, sizeof(text), "%" PRIu64 "\n", usage);
	return put(made, CACHE_USED, text, strlen(text), err);
}

static int complete(const struct cache_entry *e, const char *made, struct error *err)
{
	int r = check_made(e, made, err);

	if (r == 0)
		r = put(made, CACHE_INPUTS, e->inputs, strlen(e->inputs), err);
	if (r == 0)
		r = put_record(e, made, err);
	if (r == 0)
		r = put_usage(e, made, err);
	return r;
}

/* Held before it can be seen, so that no moment is left to remove it in. */
static int place(struct cache_entry *e, const char *made, const char *tmp, struct error *err)
{
	CLEANUP_FREE char *old = string_printf("%s/old-%s", tmp, e->stage);
	CLEANUP_CLOSE int fd = open(made, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return error_system(err, errno, "cannot open %s", made);
	r = lock_waiting(fd, LOCK_SH, made, err);
	if (r < 0)
		return r;
	if (rename(e->path, old) < 0 && errno != ENOENT)
		return error_system(err, errno, "cannot remove %s", e->path);
	if (rename(made, e->path) < 0)
		return error_system(err, errno, "cannot place %s", e->path);
	cleanup_close(&e->held);
	e->held = TAKE_FD(fd);
	return 0;
}

int cache_keep(struct cache_entry *e, const char *made, const char *tmp, struct error *err)
{
	int r = complete(e, made, err);

	return r < 0 ? r : place(e, made, tmp, err);
}
