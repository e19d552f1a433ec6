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
#include "apt.h"
#include "store.h"

#define APT_HELPER "/usr/lib/apt/apt-helper"
#define WORKERS 4
/* One child fetches a few files over one connection. Few enough that a kill loses little. */
#define BATCH_FILES 8
#define BATCH_BYTES (16 << 20)
#define TICK_MS 250
#define MIB (1 << 20)

struct worker {
	struct process *process;
	size_t first, count; /* its part of the queue */
};

struct queue {
	const struct download *
		*items; /* large ones first, so that none is left alone for the end */
	size_t count, next;
	struct worker workers[WORKERS];
	uint64_t done, total; /* bytes */
	const char *dir;
	const struct apt *apt;
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

static void free_strings(char ***list)
{
	for (size_t i = 0; *list && (*list)[i]; i++)
		free((*list)[i]);
	free(*list);
}

static int start(struct queue *q, struct worker *worker, struct error *err)
{
	__attribute__((cleanup(free_strings))) char **argv =
		memory_new((3 + 3 * worker->count) * sizeof(*argv));
	struct process_options options = {
		.argv = (const char *const *)argv,
		.env = (const char *const *)q->apt->env,
	};
	size_t n = 0;

	argv[n++] = string_copy(APT_HELPER);
	argv[n++] = string_copy("download-file");
	for (size_t i = 0; i < worker->count; i++) {
		const struct download *item = q->items[worker->first + i];

		argv[n++] = uri_of(item);
		argv[n++] = target_of(q, item);
		argv[n++] = string_printf("SHA256:%s", item->package->sha256);
	}
	return process_start(&options, &worker->process, err);
}

static int start_batch(struct queue *q, struct worker *worker, struct error *err)
{
	uint64_t bytes = 0;

	worker->first = q->next;
	worker->count = 0;
	while (q->next < q->count && worker->count < BATCH_FILES && bytes < BATCH_BYTES) {
		bytes += q->items[q->next]->package->size;
		worker->count++;
		q->next++;
	}
	return start(q, worker, err);
}

/* apt's reason: the rest of the line that names the file, or else its last line. It writes addresses in
 * a form of its own ("file:/" for "file:///"), but their ends as they were given. */
static char *reason(const char *said, const struct download *item)
{
	CLEANUP_FREE char *path = download_quote(item->package->path);
	const char *found = strstr(said, path), *next;

	if (found)
		found += strlen(path);
	else
		for (found = said; (next = strchr(found, '\n')) && next[1]; found = next + 1)
			;
	found += strspn(found, " ");
	return string_printf("%.*s", (int)strcspn(found, "\n"), found);
}

static int harvest(struct queue *q, struct worker *worker, struct error *err)
{
	CLEANUP_PROCESS struct process *process = TAKE_PTR(worker->process);

	for (size_t i = 0; i < worker->count; i++) {
		const struct download *item = q->items[worker->first + i];
		CLEANUP_FREE char *uri = uri_of(item);
		int r = 0;

		if (size_of_target(q, item) == item->package->size)
			r = adopt(q, item, err);
		if (r < 0)
			return r;
		if (!store_has(q->store, item->package->sha256)) {
			CLEANUP_FREE char *why = reason(process_stderr(process), item);

			return error_outside(err, "cannot fetch package %s %s from %s: %s",
					     item->package->name, item->package->version, uri,
					     why[0] ? why : "apt did not say why");
		}
	}
	return 0;
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

	fds[n++] = (struct pollfd){ .fd = process_signal_fd(), .events = POLLIN };
	for (size_t i = 0; i < WORKERS; i++)
		if (q->workers[i].process)
			fds[n++] = (struct pollfd){ .fd = process_fd(q->workers[i].process),
						    .events = POLLIN };
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

int download_packages(const struct download *items, size_t count, const char *dir,
		      const struct apt *apt, const struct store *store, struct error *err)
{
	__attribute__((cleanup(free_queue))) struct queue q = {
		.count = count,
		.dir = dir,
		.apt = apt,
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
	r = run(&q, err);
	/* What is left are apt's failed pieces, which nobody can use. */
	return r < 0 ? r : io_remove_tree(dir, err);
}
