/* SPDX-License-Identifier: Apache-2.0 */
#include "proof.h"

#include <errno.h>
#include <string.h>

#include "../base/error.h"
#include "json.h"
#include "manifest.h"

/* ---------------------------------------------------------------- JSON */

static void put_divergence(struct json_t *o, const struct proof_row *row)
{
	struct json_t *d = json_put_object(o, "divergence");

	/* From 1, as in the table. */
	json_put_number(d, "event", row->diverges_at + 1);
	if (*row->expected_label) {
		json_put_string(d, "expected_label", row->expected_label);
		json_put_digest(d, "expected", &row->expected);
	} else {
		json_put_null(d, "expected_label");
		json_put_null(d, "expected");
	}
	if (row->nothing_seen)
		json_put_null(d, "seen");
	else
		json_put_digest(d, "seen", &row->seen);
}

static void put_rows(struct json_t *root, const struct proof *p)
{
	struct json_t *array = json_put_array(root, "rows");

	for (size_t i = 0; i < p->row_count; i++) {
		const struct proof_row *row = &p->rows[i];
		struct json_t *o = json_put_object(array, NULL);

		json_put_number(o, "pcr", row->pcr);
		json_put_string(o, "bank", digest_name(row->alg));
		json_put_digest(o, "predicted", &row->predicted);
		json_put_digest(o, "measured", &row->measured);
		json_put_bool(o, "equal", row->equal);
		if (!row->equal)
			put_divergence(o, row);
	}
}

static void put_events(struct json_t *root, const struct proof *p)
{
	struct json_t *array = json_put_array(root, "events");

	for (size_t i = 0; i < p->events.count; i++) {
		const struct pcr_event *e = &p->events.events[i];
		struct json_t *o = json_put_object(array, NULL);

		json_put_number(o, "pcr", e->pcr);
		json_put_string(o, "label", e->label);
		for (size_t k = 0; k < DIGEST_ALGS; k++) {
			enum digest_alg alg = manifest_banks[k];

			if (e->absent[alg])
				json_put_null(o, digest_name(alg));
			else
				json_put_digest(o, digest_name(alg), &e->digests[alg]);
		}
	}
}

int proof_format(const struct proof *p, struct buf *ret, struct error *err)
{
	struct json_t *root = json_new();
	int r;

	json_put_number(root, "schema", PROOF_SCHEMA);
	json_put_string(root, "disk_data_sha256", p->disk_data_sha256);
	json_put_string(root, "firmware", p->firmware);
	json_put_bool(root, "secure_boot", p->secure_boot);
	json_put_string(root, "qemu", p->qemu);
	json_put_string(root, "accel", p->accel);
	json_put_real(root, "seconds", p->seconds);
	json_put_bool(root, "service_answered", p->service_answered);
	json_put_bool(root, "proven", p->proven);
	put_rows(root, p);
	put_events(root, p);
	r = json_finish(root, false, ret);
	return r < 0 ? error_system(err, r, "boot-proof.json: cannot make its text") : 0;
}

/* ---------------------------------------------------------------- the table */

/* Both ends of a digest: enough to tell two apart by eye, and a row fits in 100 columns. */
#define SHORT_HEAD 16
#define SHORT_TAIL 16
#define SHORT_SIZE (SHORT_HEAD + 2 + SHORT_TAIL + 1)

static const char *shorten(const struct digest *digest, char ret[static SHORT_SIZE])
{
	char hex[2 * DIGEST_MAX + 1];

	digest_hex(digest, hex);
	snprintf(ret, SHORT_SIZE, "%.*s..%s", SHORT_HEAD, hex, hex + strlen(hex) - SHORT_TAIL);
	return ret;
}

static int print_row(const struct proof_row *row, struct buf *ret)
{
	char predicted[SHORT_SIZE], measured[SHORT_SIZE];

	return buf_printf(ret, "%3u  %-6s  %-34s  %-34s  %s\n", row->pcr, digest_name(row->alg),
			  shorten(&row->predicted, predicted), shorten(&row->measured, measured),
			  row->equal ? "equal" : "DIFFERENT");
}

/* Banks mostly diverge at the same event; saying so once is enough. */
static bool said_already(const struct proof *p, size_t index)
{
	const struct proof_row *row = &p->rows[index], *before;

	if (index == 0)
		return false;
	before = &p->rows[index - 1];
	return before->pcr == row->pcr && !before->equal && before->diverges_at == row->diverges_at &&
	       before->nothing_seen == row->nothing_seen &&
	       strcmp(before->expected_label, row->expected_label) == 0;
}

static int print_divergence(const struct proof_row *row, struct buf *ret)
{
	const char *bank = digest_name(row->alg);
	unsigned int event = row->diverges_at + 1;
	char expected[SHORT_SIZE], seen[SHORT_SIZE];

	shorten(&row->expected, expected);
	shorten(&row->seen, seen);
	if (*row->expected_label && row->nothing_seen)
		return buf_printf(ret, "PCR %u: event %u is missing: expected %s (%s %s), "
				       "the machine extended nothing more\n",
				  row->pcr, event, row->expected_label, bank, expected);
	if (*row->expected_label)
		return buf_printf(ret, "PCR %u: event %u differs: expected %s (%s %s), "
				       "the machine extended %s\n",
				  row->pcr, event, row->expected_label, bank, expected, seen);
	if (!row->nothing_seen)
		return buf_printf(ret, "PCR %u: the machine extended one more event, number %u (%s %s)\n",
				  row->pcr, event, bank, seen);
	return buf_printf(ret, "PCR %u: every %s extend is as predicted, "
				  "yet the TPM holds another value\n",
			  row->pcr, bank);
}

static int print_divergences(const struct proof *p, struct buf *ret)
{
	bool first = true;
	int r = 0;

	for (size_t i = 0; i < p->row_count && r == 0; i++) {
		if (p->rows[i].equal || said_already(p, i))
			continue;
		if (first)
			r = buf_add_string(ret, "\n");
		first = false;
		if (r == 0)
			r = print_divergence(&p->rows[i], ret);
	}
	return r;
}

int proof_table(const struct proof *p, struct buf *ret)
{
	int r = buf_printf(ret, "%3s  %-6s  %-34s  %-34s  %s\n", "PCR", "bank", "predicted",
			   "measured", "verdict");

	for (size_t i = 0; i < p->row_count && r == 0; i++)
		r = print_row(&p->rows[i], ret);
	if (r == 0)
		r = print_divergences(p, ret);
	return r;
}
