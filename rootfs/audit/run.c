/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"
#include "../../factory/model/declared.h"
#include "../../factory/model/memory.h"
#include "rules.h"
#include "scan.h"
#include "units.h"

/* The order of reports. */
static const struct audit_rule *const groups[] = {
	audit_boot_rules, audit_access_rules, audit_login_rules, audit_account_rules, audit_file_rules,
	audit_mount_rules, audit_kernel_rules, audit_network_rules, audit_package_rules, audit_secret_rules,
	audit_live_rules,
};

static bool is_judged(const struct audit_input *in, const struct audit_rule *group)
{
	return group != audit_live_rules || in->live;
}

bool audit_has_rule(const char *id)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		for (const struct audit_rule *rule = groups[i]; rule->id; rule++)
			if (strcmp(rule->id, id) == 0)
				return true;
	return false;
}

static int run_group(struct audit *a, const struct audit_rule *rule, struct audit_report *report, struct error *err)
{
	int r = 0;

	for (; rule->id && r == 0; rule++) {
		a->result = memory_append(&report->results, report->count++, sizeof(*a->result));
		*a->result = (struct audit_result) { .rule = rule->id, .title = rule->title, .seen = string_copy("") };
		a->rule = rule;
		r = rule->check(a, err);
		if (r < 0)
			return error_wrap(err, "rule %s", rule->id);
	}
	return r;
}

static bool is_used(const struct audit_report *report, const struct declared_exception *e)
{
	for (size_t i = 0; i < report->count; i++)
		for (size_t k = 0; k < report->results[i].count; k++)
			if (report->results[i].findings[k].accepted == e)
				return true;
	return false;
}

static bool was_judged(const struct audit_report *report, const char *rule)
{
	for (size_t i = 0; i < report->count; i++)
		if (strcmp(report->results[i].rule, rule) == 0)
			return true;
	return false;
}

static void list_unused(const struct declared *d, struct audit_report *report)
{
	for (size_t i = 0; i < d->exception_count; i++) {
		const struct declared_exception **slot;

		if (!was_judged(report, d->exceptions[i].rule) || is_used(report, &d->exceptions[i]))
			continue;
		slot = memory_append(&report->unused, report->unused_count++, sizeof(*slot));
		*slot = &d->exceptions[i];
	}
}

int audit_run(const struct audit_input *input, struct audit_report *ret, struct error *err)
{
	CLEANUP_AUDIT_REPORT struct audit_report report = { .results = NULL };
	CLEANUP_UNITS struct units *units = NULL;
	CLEANUP_SCAN struct scan *scan = NULL;
	struct audit a = { .in = input };
	int r = units_read(input->tree, &units, err);

	if (r == 0)
		r = scan_tree(input->tree, &scan, err);
	a.units = units;
	a.scan = scan;
	for (size_t i = 0; i < ARRAY_SIZE(groups) && r == 0; i++)
		if (is_judged(input, groups[i]))
			r = run_group(&a, groups[i], &report, err);
	if (r < 0)
		return r;
	list_unused(input->declared, &report);
	*ret = report;
	report = (struct audit_report) { .results = NULL };
	return 0;
}
