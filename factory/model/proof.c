/* SPDX-License-Identifier: Apache-2.0 */
#include "proof.h"

#include <string.h>

#include "../base/io.h"
#include "manifest.h"
#include "memory.h"

struct proof *proof_new(void)
{
	struct proof *p = memory_new(sizeof(*p));

	p->firmware = string_copy("");
	p->qemu = string_copy("");
	p->accel = string_copy("");
	return p;
}

void proof_free(struct proof *p)
{
	if (!p)
		return;
	free(p->firmware);
	free(p->qemu);
	free(p->accel);
	pcr_log_free(&p->events);
	free(p->rows);
	free(p);
}

void proof_freep(struct proof **p)
{
	proof_free(*p);
}

/* ---------------------------------------------------------------- labels */

static struct pcr_event *next_of(const struct pcr_log *log, unsigned int pcr, size_t *at)
{
	while (*at < log->count)
		if (log->events[(*at)++].pcr == pcr)
			return &log->events[*at - 1];
	return NULL;
}

/* Equal in each bank that was extended at all. */
static bool same_event(const struct pcr_event *seen, const struct pcr_event *predicted)
{
	bool any = false;

	for (int alg = 0; alg < DIGEST_ALGS; alg++) {
		if (seen->absent[alg])
			continue;
		if (!digest_equal(&seen->digests[alg], &predicted->digests[alg]))
			return false;
		any = true;
	}
	return any;
}

static void copy_label(struct pcr_event *seen, const struct pcr_event *predicted)
{
	memcpy(seen->label, predicted->label, sizeof(seen->label));
	seen->type = predicted->type;
}

static const struct pcr_event *find_same(const struct pcr_log *predicted,
					 const struct pcr_event *seen)
{
	const struct pcr_event *p;
	size_t at = 0;

	while ((p = next_of(predicted, seen->pcr, &at)))
		if (same_event(seen, p))
			return p;
	return NULL;
}

/* The event of the same place where it is the same; else any that has the same digests, so that
 * what follows an unexpected event still has its name. */
static void label_pcr(struct pcr_log *events, const struct pcr_log *predicted, unsigned int pcr)
{
	size_t at = 0, place = 0;
	struct pcr_event *seen;

	while ((seen = next_of(events, pcr, &at))) {
		const struct pcr_event *p = next_of(predicted, pcr, &place);

		if (!p || !same_event(seen, p))
			p = find_same(predicted, seen);
		if (p)
			copy_label(seen, p);
		else
			seen->label[0] = '\0';
	}
}

/* ---------------------------------------------------------------- comparing */

/* The next event of the PCR that extended this bank. */
static const struct pcr_event *next_in_bank(const struct pcr_log *log, unsigned int pcr,
					    enum digest_alg alg, size_t *at)
{
	const struct pcr_event *e;

	do
		e = next_of(log, pcr, at);
	while (e && e->absent[alg]);
	return e;
}

static void find_divergence(struct proof_row *row, const struct pcr_log *predicted,
			    const struct pcr_log *events)
{
	size_t predicted_at = 0, seen_at = 0;

	row->expected.alg = row->seen.alg = row->alg;
	while (true) {
		const struct pcr_event *p = next_in_bank(predicted, row->pcr, row->alg, &predicted_at);
		const struct pcr_event *s = next_in_bank(events, row->pcr, row->alg, &seen_at);

		if (p && s && digest_equal(&p->digests[row->alg], &s->digests[row->alg])) {
			row->diverges_at++;
			continue;
		}
		if (p) {
			memcpy(row->expected_label, p->label, sizeof(row->expected_label));
			row->expected = p->digests[row->alg];
		}
		if (s)
			row->seen = s->digests[row->alg];
		row->nothing_seen = !s;
		return;
	}
}

static void compare_row(struct proof_row *row, const struct pcr_log *predicted,
			const struct pcr_log *events)
{
	struct digest replayed;

	pcr_replay(predicted, row->pcr, row->alg, &row->predicted);
	pcr_replay(events, row->pcr, row->alg, &replayed);
	row->equal = digest_equal(&row->predicted, &row->measured) &&
		     digest_equal(&replayed, &row->measured);
	if (!row->equal)
		find_divergence(row, predicted, events);
}

void proof_compare(struct proof *p, const struct pcr_log *predicted, uint32_t pcr_mask,
		   struct digest measured[static PCR_COUNT][DIGEST_ALGS])
{
	free(p->rows);
	p->rows = NULL;
	p->row_count = 0;
	for (unsigned int pcr = 0; pcr < PCR_COUNT; pcr++) {
		label_pcr(&p->events, predicted, pcr);
		for (size_t i = 0; i < DIGEST_ALGS && pcr_mask & 1u << pcr; i++) {
			struct proof_row *row;

			row = memory_append(&p->rows, p->row_count++, sizeof(*row));
			row->pcr = pcr;
			row->alg = manifest_banks[i];
			row->measured = measured[pcr][row->alg];
			compare_row(row, predicted, &p->events);
		}
	}
	/* A manifest that predicts nothing proves nothing. */
	p->proven = p->service_answered && p->row_count > 0;
	for (size_t i = 0; i < p->row_count; i++)
		p->proven = p->proven && p->rows[i].equal;
}
