/* SPDX-License-Identifier: Apache-2.0 */
#include "download.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../factory/base/buf.h"
#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/base/log.h"
#include "../../factory/base/process.h"
#include "../../factory/model/lock.h"
#include "../../factory/model/memory.h"
#include "downloader.h"
#include "store.h"

#define WORKERS 4
/* One child fetches a few files over one connection. */
#define BATCH_BYTES (16 << 20)
#define TICK_MS 250
#define MIB (1 << 20)
/* Of the message that names what is gone; the log has every one. */
#define NAMES_MAX 1000

struct worker {
	struct process *process;
	size_t first, count; /* its part of the queue */
};

struct queue {
	struct download **items; /* large ones first, so that none is left alone for the end */
	size_t count, next;
	struct worker workers[WORKERS];
	uint64_t done, total; /* bytes */
	const char *dir;
	const struct downloader *downloader;
	const struct store *store;
};

char *download_quote(const char *path)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
	char *quoted = memory_new(3 * strlen(path) + 1), *out = quoted;

	for (; *path; path++) {
		if (strchr(plain, *path))
			*out++ = *path;
		else
			out += snprintf(out, 4, "%%%02x", (unsigned char)*path);
	}
	return quoted;
}

static char *uri_of(const struct download *item)
{
	CLEANUP_FREE char *path = download_quote(item->package->path);

	return string_printf("%s/%s", item->root, path);
}

static char *target_of(const struct queue *q, const struct download *item)
{
	return path_join(q->dir, item->package->sha256);
}

/* Bytes that lie there so far; apt's file method leaves a link, which is as good as the file. */
static uint64_t size_of_target(const struct queue *q, const struct download *item)
{
	CLEANUP_FREE char *target = target_of(q, item);
	struct stat st;

	return stat(target, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

static int adopt(struct queue *q, const struct download *item, struct error *err)
{
	CLEANUP_FREE char *target = target_of(q, item);
	CLEANUP_FREE char *name =
		string_printf("package %s %s", item->package->name, item->package->version);
	int r;

	r = store_adopt(q->store, target, item->package->sha256, name, err);
	if (r == 0)
		q->done += item->package->size;
	return r;
}

/* ---------------------------------------------------------------- one child */

struct files {
	struct downloader_file *items;
	size_t count;
};

static struct files files_of(const struct queue *q, const struct worker *worker)
{
	struct files files = {.count = worker->count};

	files.items = memory_new((worker->count + 1) * sizeof(*files.items));
	for (size_t i = 0; i < worker->count; i++) {
		const struct download *item = q->items[worker->first + i];

		files.items[i] = (struct downloader_file){
			.url = uri_of(item),
			.target = target_of(q, item),
			.sha256 = item->package->sha256,
		};
	}
	return files;
}

static void free_files(struct files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		free(files->items[i].url);
		free(files->items[i].target);
	}
	free(files->items);
}
#define CLEANUP_FILES __attribute__((cleanup(free_files)))

static void free_strings(char ***list)
{
	for (size_t i = 0; *list && (*list)[i]; i++)
		free((*list)[i]);
	free(*list);
}

static int start(struct queue *q, struct worker *worker, struct error *err)
{
	const struct downloader *d = q->downloader;
	CLEANUP_FILES struct files files = files_of(q, worker);
	__attribute__((cleanup(free_strings))) char **argv =
		downloader_arguments(d, files.items, files.count);
	const struct process_options options = {
		.argv = (const char *const *)argv,
		.env = downloader_env(d),
	};

	return process_start(&options, &worker->process, err);
}

static int start_batch(struct queue *q, struct worker *worker, struct error *err)
{
	uint64_t bytes = 0;

	worker->first = q->next;
	worker->count = 0;
	while (q->next < q->count && worker->count < downloader_batch(q->downloader) &&
	       bytes < BATCH_BYTES) {
		bytes += q->items[q->next]->package->size;
		worker->count++;
		q->next++;
	}
	return start(q, worker, err);
}

static void note_gone(struct queue *q, struct download *item, const char *url, const char *why)
{
	item->gone = true;
	q->done += item->package->size;
	log_warning("package %s %s is not at %s: %s", item->package->name, item->package->version,
		    url, why);
}

/* What came goes into the store; of what did not come it counts whether it is there at all. */
static int settle(struct queue *q, struct download *item, const char *url, const char *why,
		  bool gone, struct error *err)
{
	uint64_t size = size_of_target(q, item);

	if (size == item->package->size)
		return adopt(q, item, err);
	if (size == 0 && gone) {
		note_gone(q, item, url, why);
		return 0;
	}
	if (size > 0)
		return error_outside(err,
				     "package %s %s from %s has %ju bytes, the lock says %ju: %s",
				     item->package->name, item->package->version, url,
				     (uintmax_t)size, (uintmax_t)item->package->size, why);
	return error_outside(err, "cannot fetch package %s %s from %s: %s", item->package->name,
			     item->package->version, url, why);
}

static int harvest(struct queue *q, struct worker *worker, struct error *err)
{
	CLEANUP_PROCESS struct process *process = TAKE_PTR(worker->process);
	CLEANUP_FILES struct files files = files_of(q, worker);
	int r = 0;

	for (size_t i = 0; r == 0 && i < worker->count; i++) {
		bool gone = false;
		CLEANUP_FREE char *why = downloader_reason(q->downloader, process_stderr(process),
							   files.items, i, &gone);

		r = settle(q, q->items[worker->first + i], files.items[i].url, why, gone, err);
	}
	return r;
}

/* ---------------------------------------------------------------- without a child */

/* As apt's file method does it: a link, which the store copies. */
static int take_local(struct queue *q, struct download *item, const char *root, struct error *err)
{
	CLEANUP_FREE char *path = path_join(root, item->package->path);
	CLEANUP_FREE char *target = target_of(q, item);

	if (io_exists(path) && symlink(path, target) < 0)
		return error_system(err, errno, "%s", target);
	return settle(q, item, path, "No such file", !io_exists(path), err);
}

/* apt reads local mirrors itself; for curl and wget they are none of their business. */
static int take_local_ones(struct queue *q, struct error *err)
{
	size_t kept = 0;
	int r = 0;

	if (q->downloader->kind == DOWNLOADER_APT)
		return 0;
	for (size_t i = 0; r == 0 && i < q->count; i++) {
		const char *root = downloader_local_path(q->items[i]->root);

		if (root)
			r = take_local(q, q->items[i], root, err);
		else
			q->items[kept++] = q->items[i];
	}
	q->count = kept;
	return r;
}

/* ---------------------------------------------------------------- all of them */

static bool busy(const struct queue *q)
{
	for (size_t i = 0; i < WORKERS; i++)
		if (q->workers[i].process)
			return true;
	return false;
}

static void show_progress(const struct queue *q)
{
	uint64_t bytes = q->done;

	for (size_t i = 0; i < WORKERS; i++) {
		const struct worker *worker = &q->workers[i];

		for (size_t k = 0; worker->process && k < worker->count; k++)
			bytes += size_of_target(q, q->items[worker->first + k]);
	}
	log_step_update(bytes / MIB, (q->total + MIB - 1) / MIB, "MiB");
}

static void wait_for_any(const struct queue *q)
{
	struct pollfd fds[WORKERS + 1];
	nfds_t n = 0;

	fds[n++] = (struct pollfd){.fd = process_signal_fd(), .events = POLLIN};
	for (size_t i = 0; i < WORKERS; i++)
		if (q->workers[i].process)
			fds[n++] = (struct pollfd){.fd = process_fd(q->workers[i].process),
						   .events = POLLIN};
	/* A failure is a tick that comes early; what happened is asked for below. */
	(void)poll(fds, n, TICK_MS);
}

static int tick(struct queue *q, struct error *err)
{
	int r = 0, status;

	for (size_t i = 0; r == 0 && i < WORKERS; i++) {
		struct worker *worker = &q->workers[i];

		if (worker->process && process_ended(worker->process, &status))
			r = harvest(q, worker, err);
		if (r == 0 && !worker->process && q->next < q->count)
			r = start_batch(q, worker, err);
	}
	return r;
}

static int run(struct queue *q, struct error *err)
{
	int r;

	do {
		r = process_check_interrupt(err);
		if (r == 0)
			r = tick(q, err);
		if (r < 0)
			return r;
		show_progress(q);
		if (busy(q))
			wait_for_any(q);
	} while (busy(q));
	return 0;
}

/* An earlier run's leavings: whole ones are taken, the rest goes. apt would go on with a part, but
 * a part may be of anything. */
static void take_leavings(struct queue *q)
{
	size_t kept = 0;

	for (size_t i = 0; i < q->count; i++) {
		CLEANUP_FREE char *target = target_of(q, q->items[i]);
		struct error ignored = ERROR_INIT;

		if (size_of_target(q, q->items[i]) == q->items[i]->package->size &&
		    adopt(q, q->items[i], &ignored) == 0)
			continue;
		(void)unlink(target);
		q->items[kept++] = q->items[i];
	}
	q->count = kept;
}

static int larger_first(const void *a, const void *b)
{
	const struct locked_package *x = (*(const struct download *const *)a)->package;
	const struct locked_package *y = (*(const struct download *const *)b)->package;
	int order = (x->size < y->size) - (x->size > y->size);

	return order ? order : strcmp(x->sha256, y->sha256);
}

static void free_queue(struct queue *q)
{
	for (size_t i = 0; i < WORKERS; i++)
		process_free(q->workers[i].process);
	free(q->items);
}

static int report_gone(const struct download *items, size_t count, struct error *err)
{
	CLEANUP_BUF struct buf names = BUF_INIT(NAMES_MAX);
	size_t gone = 0, named = 0;

	for (size_t i = 0; i < count; i++) {
		if (!items[i].gone)
			continue;
		if (named == gone++ &&
		    buf_printf(&names, "%s%s %s", named ? ", " : "", items[i].package->name,
			       items[i].package->version) == 0)
			named++;
	}
	if (gone == 0)
		return 0;
	(void)error_outside(err, "the archive does not have %zu package%s: %s%s", gone,
			    gone == 1 ? "" : "s", buf_text(&names), named < gone ? ", ..." : "");
	err->code = ENOENT;
	return -ENOENT;
}

int download_packages(struct download *items, size_t count, const char *dir,
		      const struct downloader *downloader, const struct store *store,
		      struct error *err)
{
	__attribute__((cleanup(free_queue))) struct queue q = {
		.count = count,
		.dir = dir,
		.downloader = downloader,
		.store = store,
	};
	int r;

	if (count == 0)
		return 0;
	r = io_mkdirs(dir, 0755, err);
	if (r < 0)
		return r;
	q.items = memory_new(count * sizeof(*q.items));
	for (size_t i = 0; i < count; i++) {
		q.items[i] = &items[i];
		q.total += items[i].package->size;
	}
	qsort(q.items, count, sizeof(*q.items), larger_first);
	take_leavings(&q);
	r = take_local_ones(&q, err);
	if (r == 0)
		r = run(&q, err);
	/* What is left are failed pieces, which nobody can use. */
	if (r == 0)
		r = io_remove_tree(dir, err);
	return r < 0 ? r : report_gone(items, count, err);
}
