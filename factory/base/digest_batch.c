/* SPDX-License-Identifier: Apache-2.0 */
#include "digest_batch.h"

#include <stdbool.h>
#include <stdlib.h>

#include "error.h"
#include "sha256_pair.h"
#include "workers.h"

/* Below this many bytes starting a thread takes longer than the work (50 to 100 microseconds). */
#define THREADS_WORTH ((size_t)256 << 10)

struct message {
	enum digest_alg alg;
	struct iovec *pieces;		/* none of them empty */
	size_t count;
	size_t size;
	struct digest *ret;
	enum { ALONE, GUEST, WITH_PARTNER, PARTNER } role;
	union {
		const struct message *host;	/* GUEST: begins with this whole message and does the work */
		const struct message *partner;	/* WITH_PARTNER: SHA-256 too, hashed in step with this one */
	};
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

/* Longest first: a host comes before its guests, and the workers want it so too. */
static int by_cost(const void *a, const void *b)
{
	const struct message *x = a, *y = b;

	if (x->size != y->size)
		return x->size < y->size ? 1 : -1;
	return (x->alg < y->alg) - (x->alg > y->alg);
}

/* ---------------------------------------------------------------- hosts and guests */

static void find_host(const struct digest_batch *b, struct message *m)
{
	for (const struct message *host = b->messages; host < m; host++) {
		if (host->role != ALONE || !begins_with(host, m))
			continue;
		m->role = GUEST;
		m->host = host;
		return;
	}
}

static bool is_guest(const struct message *m, const struct message *host, size_t count)
{
	return m->role == GUEST && m->host == host && m->count == count;
}

/* Does any message end after `count` pieces of `host`? */
static bool has_guests(const struct digest_batch *b, const struct message *host, size_t count)
{
	for (size_t i = 0; i < b->count; i++)
		if (is_guest(&b->messages[i], host, count))
			return true;
	return false;
}

static void give_to_guests(const struct digest_batch *b, const struct message *host, size_t count,
			   const struct digest *digest)
{
	for (size_t i = 0; i < b->count; i++)
		if (is_guest(&b->messages[i], host, count))
			*b->messages[i].ret = *digest;
}

static void run_alone(const struct digest_batch *b, const struct message *m)
{
	CLEANUP_DIGESTER struct digester *d = digester_new(m->alg);
	struct digest digest;

	for (size_t i = 0; i < m->count; i++) {
		digester_add(d, m->pieces[i].iov_base, m->pieces[i].iov_len);
		if (has_guests(b, m, i + 1)) {
			digester_peek(d, &digest);
			give_to_guests(b, m, i + 1, &digest);
		}
	}
	digester_final(d, m->ret);
}

/* ---------------------------------------------------------------- two at once */

/* How far one of the two has come. */
struct lane {
	const struct message *m;
	struct sha256 sha256;
	size_t piece, offset;
};

static const uint8_t *lane_data(const struct lane *l)
{
	return (const uint8_t *)l->m->pieces[l->piece].iov_base + l->offset;
}

/* Bytes that are left of the current piece; 0 at the end of the message. */
static size_t lane_left(const struct lane *l)
{
	return l->piece < l->m->count ? l->m->pieces[l->piece].iov_len - l->offset : 0;
}

static void lane_digest(const struct lane *l, struct digest *ret)
{
	*ret = (struct digest){ .alg = DIGEST_SHA256 };
	sha256_digest(&l->sha256, ret->bytes);
}

static void lane_advance(const struct digest_batch *b, struct lane *l, size_t size)
{
	struct digest digest;

	l->offset += size;
	if (lane_left(l) > 0)
		return;
	l->offset = 0;
	l->piece++;
	if (has_guests(b, l->m, l->piece)) {
		lane_digest(l, &digest);
		give_to_guests(b, l->m, l->piece, &digest);
	}
}

static void finish_lane(const struct digest_batch *b, struct lane *l)
{
	size_t size;

	while ((size = lane_left(l)) > 0) {
		sha256_add(&l->sha256, lane_data(l), size);
		lane_advance(b, l, size);
	}
	lane_digest(l, l->m->ret);
}

static size_t common_left(const struct lane *x, const struct lane *y)
{
	size_t a = lane_left(x), b = lane_left(y);

	return a < b ? a : b;
}

static void run_pair(const struct digest_batch *b, const struct message *first, const struct message *second)
{
	struct lane x = { .m = first }, y = { .m = second };
	size_t size;

	sha256_init(&x.sha256);
	sha256_init(&y.sha256);
	while ((size = common_left(&x, &y)) > 0) {
		sha256_add_pair(&x.sha256, lane_data(&x), &y.sha256, lane_data(&y), size);
		lane_advance(b, &x, size);
		lane_advance(b, &y, size);
	}
	finish_lane(b, &x);
	finish_lane(b, &y);
}

/* Neighbours in the order of cost, so that both end at about the same time. */
static void find_partners(struct digest_batch *b)
{
	struct message *single = NULL;

	for (size_t i = 0; i < b->count && sha256_pair_supported(); i++) {
		struct message *m = &b->messages[i];

		if (m->role != ALONE || m->alg != DIGEST_SHA256)
			continue;
		if (!single) {
			single = m;
			continue;
		}
		single->role = WITH_PARTNER;
		single->partner = m;
		m->role = PARTNER;
		single = NULL;
	}
}

/* ---------------------------------------------------------------- the batch */

static void run_job(void *arg, size_t index)
{
	const struct digest_batch *b = arg;
	const struct message *m = &b->messages[index];

	if (m->role == ALONE)
		run_alone(b, m);
	else if (m->role == WITH_PARTNER)
		run_pair(b, m, m->partner);
}

void digest_batch_run(struct digest_batch *b)
{
	size_t total = 0;

	if (b->count == 0)
		return;
	qsort(b->messages, b->count, sizeof(*b->messages), by_cost);
	for (size_t i = 0; i < b->count; i++) {
		find_host(b, &b->messages[i]);
		total += b->messages[i].role == GUEST ? 0 : b->messages[i].size;
	}
	find_partners(b);
	if (total >= THREADS_WORTH)
		workers_run(b->count, run_job, b);
	else
		for (size_t i = 0; i < b->count; i++)
			run_job(b, i);
	forget(b);
}
