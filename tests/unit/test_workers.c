/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#include "factory/base/workers.h"
#include "tests/unit/tap.h"

#define PIECES 1000

static atomic_uint calls[PIECES];

static void count_call(void *arg, size_t piece)
{
	(void)arg;
	atomic_fetch_add(&calls[piece], 1);
}

static void test_each_once(size_t pieces)
{
	size_t wrong = 0;

	for (size_t i = 0; i < PIECES; i++)
		atomic_store(&calls[i], 0);
	workers_run(pieces, count_call, NULL);
	for (size_t i = 0; i < PIECES; i++)
		wrong += atomic_load(&calls[i]) != (i < pieces);
	ok_int(wrong, 0, "%zu pieces: each is called once, and nothing else", pieces);
}

struct meeting {
	pthread_barrier_t barrier;
	atomic_uint strangers;		/* threads other than the caller's ... */
	atomic_uint unblocked;		/* ... and those of them that would get a signal */
	pthread_t caller;
};

/* Pieces that wait for each other end only if they run at the same time. */
static void meet(void *arg, size_t piece)
{
	struct meeting *m = arg;
	sigset_t mask;

	(void)piece;
	if (!pthread_equal(pthread_self(), m->caller)) {
		atomic_fetch_add(&m->strangers, 1);
		(void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
		if (!sigismember(&mask, SIGINT) || !sigismember(&mask, SIGTERM))
			atomic_fetch_add(&m->unblocked, 1);
	}
	(void)pthread_barrier_wait(&m->barrier);
}

static void test_side_by_side(void)
{
	unsigned int count = workers_count();
	struct meeting m = { .caller = pthread_self() };
	sigset_t before, after;

	ok(count >= 1 && count <= WORKERS_MAX, "%u processors", count);
	need(pthread_barrier_init(&m.barrier, NULL, count) == 0, "a barrier");
	(void)pthread_sigmask(SIG_SETMASK, NULL, &before);
	workers_run(count, meet, &m);
	(void)pthread_sigmask(SIG_SETMASK, NULL, &after);
	ok_int(atomic_load(&m.strangers), count - 1, "as many pieces as processors run at once");
	ok_int(atomic_load(&m.unblocked), 0, "signals stay with the caller");
	ok_int(sigismember(&after, SIGINT), sigismember(&before, SIGINT), "whose mask is as before");
	pthread_barrier_destroy(&m.barrier);
}

static void record_caller(void *arg, size_t piece)
{
	atomic_uint *others = arg;
	static _Thread_local bool seen;

	(void)piece;
	if (!seen)
		atomic_fetch_add(others, 1);
	seen = true;
}

/* Pinned to one processor there is nothing to share out. */
static void test_one_processor(void)
{
	atomic_uint threads = 0;
	cpu_set_t all, one;

	need(sched_getaffinity(0, sizeof(all), &all) == 0, "the affinity");
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
		if (CPU_ISSET(i, &all))
			CPU_SET(i, &one);
	need(sched_setaffinity(0, sizeof(one), &one) == 0, "one processor");
	ok_int(workers_count(), 1, "one processor is one worker");
	workers_run(PIECES, record_caller, &threads);
	ok_int(atomic_load(&threads), 1, "which is the caller");
	(void)sched_setaffinity(0, sizeof(all), &all);
}

struct race {
	atomic_uint begun;
	size_t bad;
};

static int fail_once(void *arg, size_t piece, struct error *err)
{
	struct race *race = arg;

	atomic_fetch_add(&race->begun, 1);
	return piece == race->bad ? error_input(err, "piece %zu is bad", piece) : 0;
}

static void test_failure(void)
{
	struct race race = { .bad = 10 }, none = { .bad = PIECES };
	struct error err = ERROR_INIT;

	ok_int(workers_try(PIECES, fail_once, &none, &err), 0, "no failure");
	ok_int(err.kind, ERROR_NONE, "leaves the error alone");
	ok_int(atomic_load(&none.begun), PIECES, "and every piece done");
	ok_int(workers_try(PIECES, fail_once, &race, &err), -EINVAL, "a failure is returned");
	ok_error(&err, "piece 10 is bad", "with its error");
	ok(atomic_load(&race.begun) < PIECES, "and ends the work: %u pieces were begun",
	   atomic_load(&race.begun));
}

int main(void)
{
	test_each_once(0);
	test_each_once(1);
	test_each_once(PIECES);
	test_side_by_side();
	test_one_processor();
	test_failure();
	return tap_done();
}
