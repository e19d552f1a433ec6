/* SPDX-License-Identifier: Apache-2.0 */
#include "proof.h"

#include <string.h>

#include "../base/cleanup.h"
#include "../base/error.h"
#include "../base/hex.h"
#include "json.h"
#include "manifest.h"
#include "memory.h"

/* ---------------------------------------------------------------- reading */

static int read_text(const struct json_node *object, const char *key, char **field, struct error *err)
{
	char *text;
	int r = json_get_string(object, key, &text, err);

	if (r < 0)
		return r;
	free(*field);
	*field = text;
	return 0;
}

static int read_digest(const struct json_node *row, const char *key, enum digest_alg alg, struct digest *ret,
		       struct error *err)
{
	char hex[2 * DIGEST_MAX + 1];
	int r = json_get_hex(row, key, digest_size(alg), hex, err);

	if (r < 0)
		return r;
	*ret = (struct digest){ .alg = alg };
	return hex_decode(hex, ret->bytes, digest_size(alg));
}

static int read_bank(const struct json_node *row, enum digest_alg *ret, struct error *err)
{
	CLEANUP_FREE char *name = NULL;
	int r = json_get_string(row, "bank", &name, err);

	if (r < 0)
		return r;
	for (int i = 0; i < DIGEST_ALGS; i++) {
		*ret = manifest_banks[i];
		if (strcmp(name, digest_name(*ret)) == 0)
			return 0;
	}
	return json_complain(row, "bank", err, "is none that Kiln knows");
}

static int read_row(const struct json_node *row, struct proof_row *ret, struct error *err)
{
	static const char *const keys[] = { "pcr", "bank", "predicted", "measured", "equal", "divergence", NULL };
	uint64_t pcr = 0;
	int r = json_check_keys(row, keys, err);

	if (r == 0)
		r = json_get_number(row, "pcr", 0, PCR_COUNT - 1, &pcr, err);
	if (r == 0)
		r = read_bank(row, &ret->alg, err);
	if (r == 0)
		r = read_digest(row, "predicted", ret->alg, &ret->predicted, err);
	if (r == 0)
		r = read_digest(row, "measured", ret->alg, &ret->measured, err);
	if (r == 0)
		r = json_get_bool(row, "equal", &ret->equal, err);
	if (r == 0 && ret->equal && !digest_equal(&ret->predicted, &ret->measured))
		r = json_complain(row, "equal", err, "must be false: the two values differ");
	ret->pcr = (unsigned int)pcr;
	return r;
}

static int read_rows(const struct json_node *root, struct proof *p, struct error *err)
{
	struct json_node array, item;
	size_t count = 0;
	int r = json_get_array(root, "rows", &array, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		r = json_get_item(&array, i, &item, err);
		if (r < 0)
			break;
		(void)memory_append(&p->rows, i, sizeof(*p->rows));
		p->row_count++;
		r = read_row(&item, &p->rows[i], err);
	}
	return r;
}

static int read_proof(const struct json_node *root, struct proof *p, struct error *err)
{
	static const char *const keys[] = { "schema", "disk_data_sha256", "firmware", "secure_boot", "qemu", "accel",
					    "seconds", "service_answered", "proven", "rows", "events", NULL };
	int r = json_check_schema(root, PROOF_SCHEMA, "prove the disk again with \"kiln test\"", err);

	if (r == 0)
		r = json_check_keys(root, keys, err);
	if (r == 0)
		r = json_get_hex(root, "disk_data_sha256", 32, p->disk_data_sha256, err);
	if (r == 0)
		r = read_text(root, "firmware", &p->firmware, err);
	if (r == 0)
		r = read_text(root, "qemu", &p->qemu, err);
	if (r == 0)
		r = read_text(root, "accel", &p->accel, err);
	if (r == 0)
		r = json_get_bool(root, "secure_boot", &p->secure_boot, err);
	if (r == 0)
		r = json_get_bool(root, "service_answered", &p->service_answered, err);
	if (r == 0)
		r = json_get_bool(root, "proven", &p->proven, err);
	return r < 0 ? r : read_rows(root, p, err);
}

int proof_parse(const void *json, size_t size, const char *file, struct proof **ret, struct error *err)
{
	CLEANUP_PROOF struct proof *p = proof_new();
	CLEANUP_JSON struct json_node root = { .value = NULL };
	int r = json_open(json, size, file, &root, err);

	if (r == 0)
		r = read_proof(&root, p, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(p);
	return 0;
}

/* ---------------------------------------------------------------- judging */

static bool is_measured(const struct proof *p, unsigned int pcr, const struct digest *predicted)
{
	for (size_t i = 0; i < p->row_count; i++) {
		const struct proof_row *row = &p->rows[i];

		if (row->pcr == pcr && row->alg == predicted->alg)
			return row->equal && digest_equal(&row->predicted, predicted) &&
			       digest_equal(&row->measured, predicted);
	}
	return false;
}

static int check_values(const struct proof *p, const struct pcr_log *events, uint32_t mask, struct error *err)
{
	struct digest predicted;

	for (unsigned int pcr = 0; pcr < PCR_COUNT; pcr++)
		for (int i = 0; i < DIGEST_ALGS && mask & 1u << pcr; i++) {
			pcr_replay(events, pcr, manifest_banks[i], &predicted);
			if (!is_measured(p, pcr, &predicted))
				return error_verdict(err, "PCR %u (%s) was not measured as the manifest predicts it", pcr,
						     digest_name(manifest_banks[i]));
		}
	return 0;
}

int proof_check(const struct proof *p, const struct manifest *m, bool secure_boot, struct error *err)
{
	if (strcmp(p->disk_data_sha256, m->disk_data_sha256))
		return error_verdict(err, "the disk that was booted is another one: its data digest was %s, the manifest's is %s",
				     p->disk_data_sha256, m->disk_data_sha256);
	if (!p->service_answered)
		return error_verdict(err, "the service did not answer");
	if (!p->proven)
		return error_verdict(err, "prediction and measurement differ");
	if (p->secure_boot != secure_boot)
		return error_verdict(err, "the disk was booted with Secure Boot %s, and EC2 will start it with Secure Boot %s",
				     p->secure_boot ? "on" : "off", secure_boot ? "on" : "off");
	if (secure_boot)
		return check_values(p, &m->secure_boot->events, m->secure_boot->pcr_mask, err);
	return check_values(p, &m->events, m->pcr_mask, err);
}
