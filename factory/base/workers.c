/* SPDX-License-Identifier: Apache-2.0 */
#include "workers.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "error.h"
#include "process.h"

struct work {
	size_t pieces;
	void (*run)(void *arg, size_t piece);
	void *arg;
	atomic_size_t next;
};

static void *take_pieces(void *data)
{
	struct work *w = data;
	size_t piece;

	while ((piece = atomic_fetch_add(&w->next, 1)) < w->pieces)
		w->run(w->arg, piece);
	return NULL;
}

unsigned int workers_count(void)
{
	cpu_set_t set;
	int count;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	count = CPU_COUNT(&set);
	return count > WORKERS_MAX ? WORKERS_MAX : (unsigned int)count;
}

/* How many were started; the handlers of signals are the calling thread's business. */
static unsigned int start_threads(struct work *w, pthread_t *threads, unsigned int wanted)
{
	unsigned int started = 0;
	sigset_t all, before;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	while (started < wanted && pthread_create(&threads[started], NULL, take_pieces, w) == 0)
		started++;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

void workers_run(size_t pieces, void (*run)(void *arg, size_t piece), void *arg)
{
	struct work w = { .pieces = pieces, .run = run, .arg = arg };
	pthread_t threads[WORKERS_MAX];
	unsigned int others = workers_count() - 1, started;

	if (others >= pieces)
		others = pieces > 0 ? (unsigned int)pieces - 1 : 0;
	started = start_threads(&w, threads, others);
	(void)take_pieces(&w);
	for (unsigned int i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
}

struct trial {
	int (*run)(void *arg, size_t piece, struct error *err);
	void *arg;
	atomic_bool over;
	pthread_mutex_t lock;		/* of the two below */
	int result;
	struct error *err;
};

static void try_piece(void *arg, size_t piece)
{
	struct error err = ERROR_INIT;
	struct trial *t = arg;
	int r;

	if (atomic_load(&t->over))
		return;
	r = process_check_interrupt(&err);
	if (r == 0)
		r = t->run(t->arg, piece, &err);
	if (r == 0)
		return;
	(void)pthread_mutex_lock(&t->lock);
	if (t->result == 0) {
		*t->err = err;
		t->result = r;
	}
	(void)pthread_mutex_unlock(&t->lock);
	atomic_store(&t->over, true);
}

int workers_try(size_t pieces, int (*run)(void *arg, size_t piece, struct error *err), void *arg,
		struct error *err)
{
	struct trial t = { .run = run, .arg = arg, .lock = PTHREAD_MUTEX_INITIALIZER, .err = err };

	workers_run(pieces, try_piece, &t);
	return t.result;
}
