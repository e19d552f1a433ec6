/* SPDX-License-Identifier: Apache-2.0 */
#include "tamper.h"

#include <stdlib.h>
#include <string.h>

#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/log.h"
#include "../factory/model/manifest.h"
#include "../factory/model/memory.h"
#include "tamper_bench.h"

void tamper_report_clear(struct tamper_report *r)
{
	free(r->results);
}

static bool is_wanted(const struct tamper_input *in, const struct tamper_row *row, bool secure_boot)
{
	if (secure_boot ? !row->on_applies || !in->keys.count : !row->off_applies)
		return false;
	if (in->only)
		return strcmp(in->only, row->name) == 0;
	return !in->quick || row->quick;
}

static bool is_as_stated(const struct tamper_result *result, const struct tamper_expectation *stated)
{
	if (result->end != stated->end || result->fetched)
		return false;
	if (stated->end != BOOT_ANSWERED && !stated->check_pcrs)
		return true;
	return result->different == stated->different;
}

static void compare(const struct manifest *m, const struct boot_observation *o, struct tamper_result *result)
{
	const struct tamper_row *row = result->row;

	result->end = o->end;
	result->fetched = o->fetched;
	result->seconds = o->seconds;
	memcpy(result->said, o->said, sizeof(result->said));
	result->different = result->secure_boot ?
		boot_differences(o, &m->secure_boot->events, m->secure_boot->pcr_mask) :
		boot_differences(o, &m->events, m->pcr_mask);
	result->as_stated = is_as_stated(result, result->secure_boot ? &row->on : &row->off);
}

static int try_row(const struct tamper_input *in, struct tamper_result *result, struct error *err)
{
	CLEANUP_BOOT_OBSERVATION struct boot_observation o = { .end = BOOT_SILENT, .events = PCR_LOG_INIT };
	CLEANUP_TAMPER_BENCH struct tamper_bench b;
	int r = tamper_bench_open(in, result->secure_boot, &b, err);

	if (r == 0)
		r = result->row->apply(&b, err);
	if (r == 0)
		r = boot_observe(&b.options, in->manifest->service_port, result->row->fetch, &o, err);
	if (r < 0)
		return error_wrap(err, "%s", result->row->name);
	compare(in->manifest, &o, result);
	return 0;
}

static void add_wanted(const struct tamper_input *in, struct tamper_report *report)
{
	for (size_t i = 0; i < tamper_row_count; i++)
		for (int on = 0; on <= 1; on++) {
			struct tamper_result *result;

			if (!is_wanted(in, &tamper_rows[i], on))
				continue;
			result = memory_append(&report->results, report->count++, sizeof(*result));
			result->row = &tamper_rows[i];
			result->secure_boot = on;
		}
}

int tamper_run(const struct tamper_input *in, struct tamper_report *ret, struct error *err)
{
	int r = 0;

	add_wanted(in, ret);
	if (!ret->count)
		return error_input(err, "there is no row \"%s\" to try here: --list names them, and some want Secure Boot", in->only);
	for (size_t i = 0; i < ret->count && r == 0; i++) {
		struct tamper_result *result = &ret->results[i];
		CLEANUP_FREE char *title = string_printf("%s, Secure Boot %s", result->row->name, result->secure_boot ? "on" : "off");

		log_step_begin((unsigned int)i + 1, (unsigned int)ret->count, title);
		r = try_row(in, result, err);
		log_step_end(r < 0 ? "failed" : result->as_stated ? "as stated" : "NOT AS STATED");
		ret->wrong += r == 0 && !result->as_stated;
	}
	return r;
}
