/* SPDX-License-Identifier: Apache-2.0 */
#include "audit_report.h"

#include "../rootfs/audit/audit.h"
#include "base/buf.h"
#include "base/error.h"
#include "model/json.h"
#include "model/manifest.h"

#define SCHEMA 1
/* What a terminal holds of one rule; all of it is in the JSON. */
#define SHOWN 10

/* ---------------------------------------------------------------- for people */

static int add_finding(const struct audit_finding *f, struct buf *ret)
{
	int r = f->line ? buf_printf(ret, "    %s:%u: %s\n", f->path, f->line, f->text) :
			  buf_printf(ret, "    %s: %s\n", f->path, f->text);

	if (r == 0 && f->accepted)
		r = buf_printf(ret, "        accepted: %s\n", f->accepted->reason);
	return r;
}

static int add_result(const struct audit_result *result, bool all, struct buf *ret)
{
	const enum audit_verdict verdict = audit_verdict(result);
	const size_t shown = all || result->count <= SHOWN ? result->count : SHOWN;
	int r;

	if (verdict == AUDIT_HOLDS && !all)
		return 0;
	r = buf_printf(ret, "%-24s %-8s  %s\n", result->rule, audit_verdict_names[verdict], result->title);
	if (r == 0 && verdict == AUDIT_HOLDS && result->seen[0])
		r = buf_printf(ret, "    %s\n", result->seen);
	for (size_t i = 0; i < shown && r == 0; i++)
		r = add_finding(&result->findings[i], ret);
	if (r == 0 && shown < result->count)
		r = buf_printf(ret, "    and %zu more: --all shows them\n", result->count - shown);
	return r;
}

static int add_unused(const struct declared_exception *e, struct buf *ret)
{
	return buf_printf(ret, "the exception for %s%s%s accepts nothing: take it out of the description\n", e->rule,
			  e->path[0] ? " at " : "", e->path);
}

int audit_report_table(const struct audit_report *report, bool all, struct buf *ret)
{
	int r = 0;

	for (size_t i = 0; i < report->count && r == 0; i++)
		r = add_result(&report->results[i], all, ret);
	for (size_t i = 0; i < report->unused_count && r == 0; i++)
		r = add_unused(report->unused[i], ret);
	if (r < 0)
		return r;
	return buf_printf(ret, "%zu rules: %zu hold, %zu hold with exceptions, %zu fail\n", report->count,
			  audit_count(report, AUDIT_HOLDS), audit_count(report, AUDIT_ACCEPTED),
			  audit_count(report, AUDIT_FAILS));
}

/* ---------------------------------------------------------------- for machines */

static void put_finding(struct json_t *array, const struct audit_finding *f)
{
	struct json_t *o = json_put_object(array, NULL);

	json_put_string(o, "path", f->path);
	if (f->line)
		json_put_number(o, "line", f->line);
	else
		json_put_null(o, "line");
	json_put_string(o, "text", f->text);
	if (f->accepted)
		json_put_string(o, "accepted", f->accepted->reason);
	else
		json_put_null(o, "accepted");
}

static void put_result(struct json_t *array, const struct audit_result *result)
{
	static const char *const verdicts[] = { "holds", "accepted", "fails" };
	struct json_t *o = json_put_object(array, NULL), *findings;

	json_put_string(o, "rule", result->rule);
	json_put_string(o, "title", result->title);
	json_put_string(o, "verdict", verdicts[audit_verdict(result)]);
	json_put_string(o, "seen", result->count ? "" : result->seen);
	findings = json_put_array(o, "findings");
	for (size_t i = 0; i < result->count; i++)
		put_finding(findings, &result->findings[i]);
}

int audit_report_format(const struct audit_report *report, const struct manifest *manifest, struct buf *ret,
			struct error *err)
{
	struct json_t *root = json_new(), *array;
	int r;

	json_put_number(root, "schema", SCHEMA);
	json_put_string(root, "name", manifest->name);
	json_put_string(root, "version", manifest->version);
	json_put_string(root, "root_hash", manifest->root_hash);
	json_put_string(root, "uki_sha256", manifest->uki_sha256);
	json_put_bool(root, "passed", audit_count(report, AUDIT_FAILS) == 0);
	array = json_put_array(root, "rules");
	for (size_t i = 0; i < report->count; i++)
		put_result(array, &report->results[i]);
	array = json_put_array(root, "unused_exceptions");
	for (size_t i = 0; i < report->unused_count; i++) {
		struct json_t *o = json_put_object(array, NULL);

		json_put_string(o, "rule", report->unused[i]->rule);
		json_put_string(o, "path", report->unused[i]->path);
	}
	r = json_finish(root, false, ret);
	return r < 0 ? error_system(err, r, "the audit's report") : 0;
}
