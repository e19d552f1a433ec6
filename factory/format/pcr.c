/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/digest_batch.h"
#include "../base/error.h"
#include "pcr.h"

/* PCRs that only a dynamic launch resets to zero; until then they are all ones. */
#define DYNAMIC_FIRST 17
#define DYNAMIC_LAST 22

/* An event without digests, or bytes that belong to the log until it is settled. */
struct pcr_pending {
	struct pcr_pending *next;
	size_t event;
	struct iovec *parts;
	size_t count;
	struct buf kept;
};

static void forget_pending(struct pcr_log *log)
{
	while (log->pending) {
		struct pcr_pending *p = log->pending;

		log->pending = p->next;
		free(p->parts);
		buf_free(&p->kept);
		free(p);
	}
}

void pcr_log_free(struct pcr_log *log)
{
	forget_pending(log);
	free(log->events);
	*log = (struct pcr_log)PCR_LOG_INIT;
}

void pcr_log_add(struct pcr_log *log, const struct pcr_event *event)
{
	if (log->count == log->cap) {
		size_t cap = log->cap ? 2 * log->cap : 32;
		struct pcr_event *events = reallocarray(log->events, cap, sizeof(*events));

		if (!events)
			error_no_memory();
		log->events = events;
		log->cap = cap;
	}
	log->events[log->count++] = *event;
}

void pcr_log_add_vector(struct pcr_log *log, unsigned int pcr, uint32_t type, const char *label,
			const struct iovec *parts, size_t count)
{
	struct pcr_event event = { .pcr = pcr, .type = type };

	snprintf(event.label, sizeof(event.label), "%s", label);
	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		CLEANUP_DIGESTER struct digester *d = digester_new((enum digest_alg)alg);

		for (size_t i = 0; i < count; i++)
			digester_add(d, parts[i].iov_base, parts[i].iov_len);
		digester_final(d, &event.digests[alg]);
	}
	pcr_log_add(log, &event);
}

void pcr_log_add_data(struct pcr_log *log, unsigned int pcr, uint32_t type, const char *label,
		      const void *data, size_t size)
{
	const struct iovec part = { .iov_base = (void *)data, .iov_len = size };

	pcr_log_add_vector(log, pcr, type, label, &part, 1);
}

static struct pcr_pending *add_pending(struct pcr_log *log)
{
	struct pcr_pending *p = calloc(1, sizeof(*p));

	if (!p)
		error_no_memory();
	p->next = log->pending;
	log->pending = p;
	return p;
}

void pcr_log_add_later(struct pcr_log *log, unsigned int pcr, uint32_t type, const char *label,
		       const struct iovec *parts, size_t count)
{
	struct pcr_event event = { .pcr = pcr, .type = type };
	struct pcr_pending *p = add_pending(log);

	snprintf(event.label, sizeof(event.label), "%s", label);
	p->event = log->count;
	p->parts = calloc(count + 1, sizeof(*p->parts));
	if (!p->parts)
		error_no_memory();
	memcpy(p->parts, parts, count * sizeof(*p->parts));
	p->count = count;
	pcr_log_add(log, &event);
}

void pcr_log_keep(struct pcr_log *log, struct buf *bytes)
{
	struct pcr_pending *p = add_pending(log);

	p->kept = *bytes;
	*bytes = (struct buf)BUF_INIT(bytes->max);
}

void pcr_log_settle(struct pcr_log *log)
{
	CLEANUP_DIGEST_BATCH struct digest_batch batch = DIGEST_BATCH_INIT;

	for (const struct pcr_pending *p = log->pending; p; p = p->next)
		for (int alg = 0; p->parts && alg < DIGEST_ALGS; alg++)
			digest_batch_add(&batch, (enum digest_alg)alg, p->parts, p->count,
					 &log->events[p->event].digests[alg]);
	digest_batch_run(&batch);
	forget_pending(log);
}

void pcr_reset(unsigned int pcr, enum digest_alg alg, struct digest *ret)
{
	struct digest value = { .alg = alg };

	if (pcr >= DYNAMIC_FIRST && pcr <= DYNAMIC_LAST)
		memset(value.bytes, 0xff, digest_size(alg));
	*ret = value;
}

void pcr_extend(struct digest *value, const struct digest *digest)
{
	size_t size = digest_size(value->alg);
	uint8_t both[2 * DIGEST_MAX];

	memcpy(both, value->bytes, size);
	memcpy(both + size, digest->bytes, size);
	digest_of(value->alg, both, 2 * size, value);
}

void pcr_replay(const struct pcr_log *log, unsigned int pcr, enum digest_alg alg, struct digest *ret)
{
	struct digest value;

	pcr_reset(pcr, alg, &value);
	for (size_t i = 0; i < log->count; i++)
		if (log->events[i].pcr == pcr && !log->events[i].absent[alg])
			pcr_extend(&value, &log->events[i].digests[alg]);
	*ret = value;
}
