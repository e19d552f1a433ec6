/* SPDX-License-Identifier: Apache-2.0 */
#include "digest_batch.h"

#include <stdbool.h>
#include <stdlib.h>

#include "error.h"
#include "workers.h"

/* Below this many bytes starting a thread takes longer than the work (50 to 100 microseconds). */
#define THREADS_WORTH ((size_t)256 << 10)

struct message {
	enum digest_alg alg;
	struct iovec *pieces;		/* none of them empty */
	size_t count;
	size_t size;
	struct digest *ret;
	struct message *host;		/* begins with this whole message; NULL: it stands for itself */
};

static void forget(struct digest_batch *b)
{
	for (size_t i = 0; i < b->count; i++)
		free(b->messages[i].pieces);
	b->count = 0;
}

void digest_batch_free(struct digest_batch *b)
{
	forget(b);
	free(b->messages);
	*b = (struct digest_batch)DIGEST_BATCH_INIT;
}

static void make_room(struct digest_batch *b)
{
	size_t cap = b->cap ? 2 * b->cap : 32;

	if (b->count < b->cap)
		return;
	b->messages = reallocarray(b->messages, cap, sizeof(*b->messages));
	if (!b->messages)
		error_no_memory();
	b->cap = cap;
}

void digest_batch_add(struct digest_batch *b, enum digest_alg alg, const struct iovec *pieces,
		      size_t count, struct digest *ret)
{
	struct message m = { .alg = alg, .ret = ret };

	m.pieces = calloc(count + 1, sizeof(*m.pieces));
	if (!m.pieces)
		error_no_memory();
	for (size_t i = 0; i < count; i++) {
		if (pieces[i].iov_len == 0)
			continue;
		m.pieces[m.count++] = pieces[i];
		m.size += pieces[i].iov_len;
	}
	make_room(b);
	b->messages[b->count++] = m;
}

static bool begins_with(const struct message *host, const struct message *m)
{
	if (m->alg != host->alg || m->count == 0 || m->count > host->count)
		return false;
	for (size_t i = 0; i < m->count; i++)
		if (m->pieces[i].iov_base != host->pieces[i].iov_base ||
		    m->pieces[i].iov_len != host->pieces[i].iov_len)
			return false;
	return true;
}

/* Longest first: a host comes before what it begins with, and the workers want it so too. */
static int by_cost(const void *a, const void *b)
{
	const struct message *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? 1 : -1;
	return (x->alg < y->alg) - (x->alg > y->alg);
}

static void find_hosts(struct digest_batch *b)
{
	for (size_t i = 0; i < b->count; i++)
		for (size_t k = 0; k < i && !b->messages[i].host; k++)
			if (!b->messages[k].host && begins_with(&b->messages[k], &b->messages[i]))
				b->messages[i].host = &b->messages[k];
}

/* The digests of those that end after `count` pieces of `host`. */
static void give_to_guests(const struct digest_batch *b, const struct message *host, size_t count,
			   const struct digester *d)
{
	for (size_t i = 0; i < b->count; i++)
		if (b->messages[i].host == host && b->messages[i].count == count)
			digester_peek(d, b->messages[i].ret);
}

static void run_message(void *arg, size_t index)
{
	const struct digest_batch *b = arg;
	const struct message *m = &b->messages[index];
	CLEANUP_DIGESTER struct digester *d = NULL;

	if (m->host)
		return;
	d = digester_new(m->alg);
	for (size_t i = 0; i < m->count; i++) {
		digester_add(d, m->pieces[i].iov_base, m->pieces[i].iov_len);
		give_to_guests(b, m, i + 1, d);
	}
	digester_final(d, m->ret);
}

void digest_batch_run(struct digest_batch *b)
{
	size_t total = 0;

	if (b->count == 0)
		return;
	qsort(b->messages, b->count, sizeof(*b->messages), by_cost);
	find_hosts(b);
	for (size_t i = 0; i < b->count; i++)
		total += b->messages[i].host ? 0 : b->messages[i].size;
	if (total >= THREADS_WORTH)
		workers_run(b->count, run_message, b);
	else
		for (size_t i = 0; i < b->count; i++)
			run_message(b, i);
	forget(b);
}
