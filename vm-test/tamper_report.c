/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/model/json.h"
#include "../factory/model/manifest.h"
#include "tamper.h"
#include "tamper_bench.h"

#define REPORT_SCHEMA 1

/* Kinds of key policies, by what they bind. PCR 7 means something with Secure Boot on alone. */
static const struct {
	const char *name;
	uint32_t pcrs;
} policies[] = {
	{ "PCR 4", 1u << 4 },
	{ "PCR 4 and 12", 1u << 4 | 1u << 12 },
	{ "PCR 7", 1u << 7 },
	{ "PCR 4, 7 and 12", 1u << 4 | 1u << 7 | 1u << 12 },
};

static bool reaches_user_space(const struct tamper_result *r)
{
	return r->end == BOOT_ANSWERED || r->end == BOOT_UNWELL;
}

static void pcr_text(const struct tamper_result *r, struct buf *ret)
{
	for (unsigned int pcr = 0; pcr < PCR_COUNT; pcr++)
		if (r->different & 1u << pcr)
			(void)buf_printf(ret, "%s%u", ret->len ? ", " : "", pcr);
}

/* ---------------------------------------------------------------- JSON */

static void put_result(struct json_t *array, const struct tamper_result *r)
{
	const struct tamper_expectation *stated = r->secure_boot ? &r->row->on : &r->row->off;
	struct json_t *o = json_put_object(array, NULL), *list;

	json_put_string(o, "row", r->row->name);
	json_put_string(o, "change", r->row->change);
	json_put_bool(o, "secure_boot", r->secure_boot);
	json_put_string(o, "stated", boot_end_names[stated->end]);
	json_put_string(o, "seen", boot_end_names[r->end]);
	if (r->row->fetch)
		json_put_bool(o, "page_given", r->fetched);
	json_put_string(o, "console", r->said);
	list = json_put_array(o, "pcrs_different");
	for (unsigned int pcr = 0; pcr < PCR_COUNT; pcr++)
		if (r->different & 1u << pcr)
			json_put_number(list, NULL, pcr);
	list = json_put_array(o, "refused_by_policies_on");
	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]) && reaches_user_space(r); i++)
		if (r->different & policies[i].pcrs)
			json_put_string(list, NULL, policies[i].name);
	json_put_bool(o, "as_stated", r->as_stated);
}

int tamper_report_format(const struct tamper_report *r, const struct manifest *m, struct buf *ret, struct error *err)
{
	struct json_t *root = json_new(), *array;
	int result;

	json_put_number(root, "schema", REPORT_SCHEMA);
	json_put_string(root, "disk_data_sha256", m->disk_data_sha256);
	array = json_put_array(root, "rows");
	for (size_t i = 0; i < r->count; i++)
		put_result(array, &r->results[i]);
	json_put_number(root, "wrong", r->wrong);
	result = json_finish(root, false, ret);
	return result < 0 ? error_system(err, result, "tamper-report.json: cannot make its text") : 0;
}

/* ---------------------------------------------------------------- for people */

static const char *outcome(const struct tamper_result *r)
{
	if (r->fetched)
		return "boots, wrong data";
	return r->row->fetch && r->end == BOOT_ANSWERED ? "boots, page not given" : boot_end_names[r->end];
}

int tamper_report_table(const struct tamper_report *r, struct buf *ret)
{
	int result = buf_printf(ret, "%-22s %-4s %-24s %-18s %s\n", "row", "SB", "outcome", "PCRs different", "verdict");

	for (size_t i = 0; i < r->count && result == 0; i++) {
		const struct tamper_result *one = &r->results[i];
		CLEANUP_BUF struct buf pcrs = BUF_INIT(256);

		if (reaches_user_space(one))
			pcr_text(one, &pcrs);
		result = buf_printf(ret, "%-22s %-4s %-24s %-18s %s\n", one->row->name, one->secure_boot ? "on" : "off",
				    outcome(one),
				    pcrs.len ? buf_text(&pcrs) : "-", one->as_stated ? "as stated" : "NOT AS STATED");
	}
	return result;
}

int tamper_list(struct buf *ret)
{
	int r = 0;

	for (size_t i = 0; i < tamper_row_count && r == 0; i++)
		r = buf_printf(ret, "%-22s %s\n", tamper_rows[i].name, tamper_rows[i].change);
	return r;
}
