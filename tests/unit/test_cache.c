/* SPDX-License-Identifier: Apache-2.0 */
#include "factory/cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "factory/base/cleanup.h"
#include "factory/base/digest.h"
#include "factory/base/io.h"
#include "factory/base/log.h"
#include "factory/cache_evict.h"
#include "factory/cache_list.h"
#include "factory/model/stage_key.h"
#include "tests/unit/tap.h"

/* The cache with several processes at it. What stages make of it is tests/unit/test_steps.c's. */

#define SIZE ((size_t)1 << 20)		/* of an entry's output */
#define ROUNDS 60
#define RACERS 4

static const char *const outputs[] = { "out", NULL };

struct place {
	struct scratch scratch;
	char *tmp;		/* on the same file system, as a build's */
	struct scratch own;
};

static void open_place(struct place *p)
{
	struct error err = ERROR_INIT;
	const char *tmp = getenv("TMPDIR");
	CLEANUP_FREE char *stage = NULL;

	*p = (struct place) { .scratch = SCRATCH_INIT, .own = SCRATCH_INIT };
	need(io_scratch_new(tmp ? tmp : "/tmp", &p->scratch, &err) == 0, "%s", err.message);
	p->tmp = path_join(p->scratch.path, "tmp");
	stage = path_join(p->scratch.path, "stages/paint");
	need(io_mkdirs(p->tmp, 0755, &err) == 0 && io_mkdirs(stage, 0755, &err) == 0, "%s", err.message);
	need(io_scratch_new(p->tmp, &p->own, &err) == 0, "%s", err.message);
}

static void close_place(struct place *p)
{
	io_scratch_free(&p->own);
	io_scratch_free(&p->scratch);
	free(p->tmp);
}

static void open_entry(const struct place *p, const char *colour, struct cache_entry *e)
{
	CLEANUP_STAGE_KEY struct stage_key *key = stage_key_new();

	stage_key_string(key, "colour", colour);
	*e = (struct cache_entry) CACHE_ENTRY_INIT;
	e->stage = "paint";
	e->outputs = outputs;
	stage_key_digest(key, e->key);
	e->inputs = string_copy(stage_key_text(key));
	e->path = string_printf("%s/stages/paint/%s", p->scratch.path, e->key);
}

/* Makes an entry in `tmp`, of bytes that are all the same, and keeps it; with the claim. */
static int make(struct cache_entry *e, const char *tmp, char byte, struct error *err)
{
	CLEANUP_FREE char *made = path_join(tmp, "paint"), *path = path_join(made, "out");
	CLEANUP_FREE char *data = malloc(SIZE);
	int r = io_mkdirs(made, 0755, err);

	if (!data)
		error_no_memory();
	memset(data, byte, SIZE);
	if (r == 0)
		r = io_write_file(path, data, SIZE, 0644, err);
	return r < 0 ? r : cache_keep(e, made, tmp, err);
}

static void need_made(const struct place *p, const char *colour, struct cache_entry *e)
{
	struct error err = ERROR_INIT;

	open_entry(p, colour, e);
	need(make(e, p->own.path, colour[0], &err) == 0, "%s: %s", colour, err.message);
}

static void evict(const struct place *p, uint64_t limit)
{
	cache_evict(p->scratch.path, limit, p->own.path);
}

/* ---------------------------------------------------------------- the limit */

static void test_sizes(void)
{
	static const struct {
		const char *text;
		uint64_t size;
	} good[] = {
		{ "0", 0 }, { "4096", 4096 }, { "1K", 1024 }, { "500M", 500ull << 20 }, { "20G", 20ull << 30 },
		{ "2T", 2ull << 40 }, { "", 20ull << 30 },
	};
	static const char *const bad[] = {
		"x", "-1", " 1", "1 G", "1g", "1GB", "G", "99999999999999999999", "99999999999T", "0x10", "1.5G",
	};
	struct error err = ERROR_INIT;
	uint64_t size;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		setenv("KILN_CACHE_SIZE", good[i].text, 1);
		ok(cache_limit(&size, &err) == 0 && size == good[i].size, "KILN_CACHE_SIZE=%s", good[i].text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		err = (struct error) ERROR_INIT;
		setenv("KILN_CACHE_SIZE", bad[i], 1);
		ok(cache_limit(&size, &err) < 0 && err.kind == ERROR_INPUT, "KILN_CACHE_SIZE=\"%s\" is refused", bad[i]);
	}
	unsetenv("KILN_CACHE_SIZE");
}

static void set_use(const struct cache_entry *e, time_t when)
{
	const struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };
	CLEANUP_FREE char *path = path_join(e->path, CACHE_USED);

	need(utimensat(AT_FDCWD, path, times, 0) == 0, "the last use of an entry");
}

static void test_oldest_first(void)
{
	struct cache_entry red, green, blue;
	struct place p;

	open_place(&p);
	need_made(&p, "red", &red);
	need_made(&p, "green", &green);
	need_made(&p, "blue", &blue);
	set_use(&red, 3000);
	set_use(&green, 1000);
	set_use(&blue, 2000);
	evict(&p, SIZE);
	ok(io_exists(red.path) && io_exists(green.path) && io_exists(blue.path), "what is held stays");
	cleanup_close(&red.held);
	cleanup_close(&green.held);
	cleanup_close(&blue.held);
	red.held = green.held = blue.held = -1;
	evict(&p, 0);
	ok(io_exists(red.path) && io_exists(green.path) && io_exists(blue.path), "0 is no limit");
	evict(&p, 3 * SIZE + SIZE / 2);
	ok(io_exists(green.path), "what fits stays");
	evict(&p, 2 * SIZE + SIZE / 2);
	ok(!io_exists(green.path) && io_exists(red.path) && io_exists(blue.path), "the least recently used goes first");
	cache_hold(&blue, &(struct error) ERROR_INIT);
	cache_touch(&blue);
	cleanup_close(&blue.held);
	blue.held = -1;
	evict(&p, SIZE + SIZE / 2);
	ok(!io_exists(red.path) && io_exists(blue.path), "a use counts");
	cache_entry_clear(&red);
	cache_entry_clear(&green);
	cache_entry_clear(&blue);
	close_place(&p);
}

/* Clocks go wrong. What one of the year 2100 has noted must not outlive everything that is in use. */
static void test_wrong_clock(void)
{
	static const time_t wrong[] = { 4102444800, 0, -86400 };

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct cache_entry red, green;
		struct place p;

		open_place(&p);
		need_made(&p, "red", &red);
		need_made(&p, "green", &green);
		set_use(&red, wrong[i]);
		set_use(&green, 1000);
		cleanup_close(&red.held);
		cleanup_close(&green.held);
		red.held = green.held = -1;
		evict(&p, 0);
		ok(io_exists(red.path) && io_exists(green.path), "a use at %jd is no damage", (intmax_t)wrong[i]);
		evict(&p, SIZE + SIZE / 2);
		ok(!io_exists(red.path) && io_exists(green.path), "and counts as one long ago");
		cache_entry_clear(&red);
		cache_entry_clear(&green);
		close_place(&p);
	}
}

/* ---------------------------------------------------------------- several processes */

/* A child that says over a pipe when it is ready, and waits there to be let go. */
struct peer {
	pid_t pid;
	int from, to;
};

static struct peer start(void (*work)(const struct place *p, int ready, int go), const struct place *p)
{
	int ready[2], go[2];
	struct peer peer;
	char byte;

	need(pipe2(ready, O_CLOEXEC) == 0 && pipe2(go, O_CLOEXEC) == 0, "pipes");
	fflush(stdout);
	peer.pid = fork();
	need(peer.pid >= 0, "a process");
	if (peer.pid == 0) {
		close(ready[0]);
		close(go[1]);
		work(p, ready[1], go[0]);
		_exit(0);
	}
	close(ready[1]);
	close(go[0]);
	peer.from = ready[0];
	peer.to = go[1];
	need(read(peer.from, &byte, 1) == 1, "the other process is ready");
	return peer;
}

static void say_and_wait(int ready, int go)
{
	char byte = 'x';

	if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) < 0)
		_exit(9);
}

static int finish(struct peer *peer)
{
	int status = -1;

	close(peer->to);
	close(peer->from);
	need(waitpid(peer->pid, &status, 0) == peer->pid, "the other process ends");
	return status;
}

static void hold_red(const struct place *p, int ready, int go)
{
	struct error err = ERROR_INIT;
	struct cache_entry e;

	open_entry(p, "red", &e);
	if (cache_hold(&e, &err) < 0 || e.held < 0)
		_exit(1);
	say_and_wait(ready, go);
}

static void test_held_elsewhere(void)
{
	struct cache_entry red, blue;
	struct peer peer;
	struct place p;

	open_place(&p);
	need_made(&p, "red", &red);
	need_made(&p, "blue", &blue);
	peer = start(hold_red, &p);
	cache_entry_clear(&blue);
	cleanup_close(&red.held);
	red.held = -1;
	evict(&p, 1);
	ok(io_exists(red.path), "what another build uses stays, though the limit is passed");
	ok_int(finish(&peer), 0, "that build ends");
	evict(&p, 1);
	ok(!io_exists(red.path), "then it goes");
	cache_entry_clear(&red);
	close_place(&p);
}

/* Claims, makes the entry while the other waits, and lets go. */
static void make_red(const struct place *p, int ready, int go)
{
	CLEANUP_SCRATCH struct scratch own = SCRATCH_INIT;
	struct error err = ERROR_INIT;
	struct cache_entry e;
	int claim = -1;

	open_entry(p, "red", &e);
	if (io_scratch_new(p->tmp, &own, &err) < 0 || cache_claim(&e, &claim, &err) < 0)
		_exit(1);
	say_and_wait(ready, go);
	usleep(50000);		/* let the other one wait indeed; the outcome does not hang on it */
	if (make(&e, own.path, 'r', &err) < 0)
		_exit(2);
	cache_unclaim(&e, &claim);
}

static void test_claim(void)
{
	CLEANUP_FREE char *lock = NULL, *damage = NULL;
	struct error err = ERROR_INIT;
	struct cache_entry red;
	struct peer peer;
	struct place p;
	int claim = -1;

	open_place(&p);
	open_entry(&p, "red", &red);
	lock = string_printf("%s.lock", red.path);
	peer = start(make_red, &p);
	evict(&p, 1);
	ok(io_exists(lock), "a claim of a build that runs stays");
	ok(cache_hold(&red, &err) == 0 && red.held < 0, "the entry is not there yet");
	need(write(peer.to, "x", 1) == 1, "the other goes on");
	ok_int(cache_claim(&red, &claim, &err), 0, "the claim is had after it (%s)", err.message);
	ok(cache_hold(&red, &err) == 0 && red.held >= 0, "and the entry is there");
	ok(cache_check(&red, p.own.path, &damage, &err) == 0 && !damage, "whole (%s)", damage ? damage : "");
	ok_int(finish(&peer), 0, "the other ends well");
	cache_unclaim(&red, &claim);
	ok(!io_exists(lock), "no lock stays behind");
	cache_entry_clear(&red);
	close_place(&p);
}

static void die_with_claim(const struct place *p, int ready, int go)
{
	struct error err = ERROR_INIT;
	struct cache_entry e;
	int claim = -1;

	open_entry(p, "red", &e);
	if (cache_claim(&e, &claim, &err) < 0)
		_exit(1);
	say_and_wait(ready, go);
}

static void test_left_over(void)
{
	CLEANUP_FREE char *lock = NULL, *old = NULL, *file = NULL;
	struct error err = ERROR_INIT;
	struct cache_entry red, blue;
	struct peer peer;
	struct place p;
	int claim = -1;

	open_place(&p);
	open_entry(&p, "red", &red);
	open_entry(&p, "blue", &blue);
	lock = string_printf("%s.lock", red.path);
	old = string_copy(blue.path);
	file = path_join(old, "out");
	peer = start(die_with_claim, &p);
	ok_int(finish(&peer), 0, "a build dies with a claim");
	ok(io_exists(lock), "which stays behind");
	need(io_mkdirs(old, 0755, &err) == 0 && io_write_file(file, "x", 1, 0644, &err) == 0, "an entry without notes");
	evict(&p, 0);
	ok(!io_exists(lock), "the claim is swept");
	ok(!io_exists(old), "and so is what no Kiln of today has made");
	ok_int(cache_claim(&red, &claim, &err), 0, "the key can be claimed again");
	cache_unclaim(&red, &claim);
	cache_entry_clear(&red);
	cache_entry_clear(&blue);
	close_place(&p);
}

/* ---------------------------------------------------------------- a race */

static void check_bytes(const struct cache_entry *e)
{
	CLEANUP_FREE char *path = path_join(e->path, "out");
	CLEANUP_BUF struct buf data = BUF_INIT(SIZE);
	struct error err = ERROR_INIT;

	if (io_read_file(path, SIZE, &data, &err) < 0 || data.len != SIZE || data.data[0] != 'r' ||
	    memcmp(data.data, data.data + 1, SIZE - 1))
		_exit(3);
}

/* What a build does with a stage, again and again, with a limit that nothing fits into. */
static void race(const struct place *p, int ready, int go)
{
	CLEANUP_SCRATCH struct scratch own = SCRATCH_INIT;
	struct error err = ERROR_INIT;

	if (io_scratch_new(p->tmp, &own, &err) < 0)
		_exit(1);
	say_and_wait(ready, go);
	for (int i = 0; i < ROUNDS; i++) {
		CLEANUP_FREE char *damage = NULL;
		struct cache_entry e;
		int claim = -1;

		open_entry(p, "red", &e);
		if (cache_claim(&e, &claim, &err) < 0 || cache_hold(&e, &err) < 0 ||
		    (e.held < 0 && make(&e, own.path, 'r', &err) < 0))
			_exit(2);
		cache_unclaim(&e, &claim);
		cache_evict(p->scratch.path, 1, own.path);
		if (cache_check(&e, own.path, &damage, &err) < 0 || damage)
			_exit(4);
		check_bytes(&e);
		cache_entry_clear(&e);
		cache_evict(p->scratch.path, 1, own.path);
	}
	io_scratch_free(&own);
}

static void test_race(void)
{
	struct peer peers[RACERS];
	struct place p;

	open_place(&p);
	for (int i = 0; i < RACERS; i++)
		peers[i] = start(race, &p);
	for (int i = 0; i < RACERS; i++)
		need(write(peers[i].to, "x", 1) == 1, "go");
	for (int i = 0; i < RACERS; i++)
		ok_int(finish(&peers[i]), 0, "nothing was pulled from under build %d", i + 1);
	close_place(&p);
}

int main(void)
{
	log_set_level(LOG_ERROR);
	test_sizes();
	test_oldest_first();
	test_wrong_clock();
	test_held_elsewhere();
	test_claim();
	test_left_over();
	test_race();
	return tap_done();
}
