/* SPDX-License-Identifier: Apache-2.0 */
#include "transfers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/clock.h"
#include "../factory/base/error.h"
#include "../factory/base/log.h"
#include "../factory/model/memory.h"
#include "backoff.h"
#include "block_index.h"
#include "window.h"

/* The longest wait in one go: the progress line wants its seconds. */
#define STEP_MS 250

enum slot_state { SLOT_FREE, SLOT_UNDER_WAY, SLOT_WAITING };

struct slot {
	struct transfers *t;
	enum slot_state state;
	size_t item;
	unsigned int attempt;
	int64_t due;			/* when it is tried again */
	uint8_t *block;
};

struct transfers {
	struct slot *slots;
	unsigned int count, used;	/* slots beyond `used` have never been needed */
	unsigned int under_way, waiting;
	struct window window;
	const struct transfers_job *job;
	size_t next, done;
	int64_t last_done;
	int result;
	struct error failure;		/* of `result` */
	struct error complaint;		/* why the last item was to be tried again */
};

struct transfers *transfers_new(unsigned int connections)
{
	struct transfers *t = memory_new(sizeof(*t));

	t->count = connections;
	t->slots = memory_new(connections * sizeof(*t->slots));
	window_init(&t->window, connections);
	return t;
}

void transfers_free(struct transfers *t)
{
	if (!t)
		return;
	for (unsigned int i = 0; i < t->used; i++)
		free(t->slots[i].block);
	free(t->slots);
	free(t);
}

void transfers_freep(struct transfers **t)
{
	transfers_free(*t);
}

/* ---------------------------------------------------------------- an item */

static void fail(struct transfers *t, int result, const struct error *err)
{
	if (t->result < 0)
		return;
	t->result = result;
	t->failure = *err;
}

static void try_later(struct slot *s, const char *why)
{
	struct transfers *t = s->t;

	s->state = SLOT_WAITING;
	s->attempt++;
	s->due = clock_ms() + aws_backoff_ms(s->attempt);
	t->waiting++;
	t->complaint = (struct error)ERROR_INIT;
	(void)error_outside(&t->complaint, "%s", why);
	log_debug("again: %s", why);
}

static void take(struct slot *s, const struct aws_result *result)
{
	struct transfers *t = s->t;
	struct error err = ERROR_INIT;
	int r = t->job->take(t->job->arg, s->item, result->answer, &err);

	if (r == -EAGAIN) {
		try_later(s, err.message);
		return;
	}
	if (r < 0) {
		fail(t, r, &err);
		return;
	}
	window_grow(&t->window);
	t->last_done = clock_ms();
	t->done++;
	t->job->progress(t->job->arg, t->done);
}

static void refuse(struct slot *s, const struct aws_result *result)
{
	struct error err = ERROR_INIT;
	int r = s->t->job->refused(s->t->job->arg, s->item, s->block, result, &err);

	if (r < 0)
		fail(s->t, r, &err);
	else
		try_later(s, result->message);
}

static void on_done(void *arg, const struct aws_result *result)
{
	struct slot *s = arg;

	s->t->under_way--;
	s->state = SLOT_FREE;
	switch (result->outcome) {
	case AWS_DONE:
		take(s, result);
		break;
	case AWS_REFUSED:
		refuse(s, result);
		break;
	case AWS_THROTTLED:
		window_shrink(&s->t->window, clock_ms());
		try_later(s, result->message);
		break;
	case AWS_AGAIN:
	case AWS_EXPIRED:
		try_later(s, result->message);
		break;
	}
}

static int begin(struct slot *s, struct error *err)
{
	struct transfers *t = s->t;
	int r;

	if (s->state == SLOT_WAITING)
		t->waiting--;
	s->state = SLOT_UNDER_WAY;
	t->under_way++;
	r = t->job->begin(t->job->arg, s->item, s->attempt, s->block, on_done, s, err);
	if (r < 0) {
		s->state = SLOT_FREE;
		t->under_way--;
	}
	return r;
}

/* ---------------------------------------------------------------- all of them */

static struct slot *free_slot(struct transfers *t)
{
	struct slot *s;

	for (unsigned int i = 0; i < t->used; i++)
		if (t->slots[i].state == SLOT_FREE)
			return &t->slots[i];
	if (t->used == t->count)
		return NULL;
	s = &t->slots[t->used++];
	s->t = t;
	s->block = malloc(BLOCK_SIZE);
	if (!s->block)
		error_no_memory();
	return s;
}

static int begin_again(struct transfers *t, struct error *err)
{
	int64_t now = clock_ms();
	int r = 0;

	for (unsigned int i = 0; r == 0 && t->waiting && i < t->used; i++) {
		struct slot *s = &t->slots[i];

		if (s->state == SLOT_WAITING && s->due <= now && window_has_room(&t->window, t->under_way))
			r = begin(s, err);
	}
	return r;
}

/* Items that wait keep their place in the window, or a service that throttles would be asked ever more. */
static int begin_new(struct transfers *t, struct error *err)
{
	int r = 0;

	while (r == 0 && t->next < t->job->items && window_has_room(&t->window, t->under_way + t->waiting)) {
		struct slot *s = free_slot(t);

		if (!s)
			break;
		s->item = t->next++;
		s->attempt = 0;
		r = begin(s, err);
	}
	return r;
}

static int check_stall(const struct transfers *t, struct error *err)
{
	if (clock_ms() - t->last_done < (int64_t)t->job->stall_s * 1000)
		return 0;
	if (t->complaint.kind == ERROR_NONE)
		return error_outside(err, "nothing has got through for %u seconds", t->job->stall_s);
	*err = t->complaint;
	return error_wrap(err, "nothing has got through for %u seconds", t->job->stall_s);
}

/* Until something is due. */
static int step_ms(const struct transfers *t)
{
	int64_t now = clock_ms(), least = now + STEP_MS;

	for (unsigned int i = 0; t->waiting && i < t->used; i++)
		if (t->slots[i].state == SLOT_WAITING && t->slots[i].due < least)
			least = t->slots[i].due;
	return least > now ? (int)(least - now) : 0;
}

static int run(struct transfers *t, struct aws *aws, struct error *err)
{
	int r = 0;

	while (r == 0 && t->result == 0 && t->done < t->job->items) {
		r = begin_again(t, err);
		if (r == 0)
			r = begin_new(t, err);
		if (r == 0 && t->result == 0)
			r = aws_step(aws, step_ms(t), err);
		if (r == 0)
			r = check_stall(t, err);
		log_step_tick();
	}
	if (r == 0 && t->result < 0) {
		*err = t->failure;
		r = t->result;
	}
	return r;
}

int transfers_run(struct transfers *t, struct aws *aws, const struct transfers_job *job, struct error *err)
{
	t->job = job;
	t->next = t->done = 0;
	t->result = 0;
	t->last_done = clock_ms();
	t->complaint = (struct error)ERROR_INIT;
	return run(t, aws, err);
}
