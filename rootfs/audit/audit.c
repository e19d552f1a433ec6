/* SPDX-License-Identifier: Apache-2.0 */
#include "audit.h"

#include <stdlib.h>

const char *const audit_verdict_names[] = { "holds", "accepted", "FAILS" };

enum audit_verdict audit_verdict(const struct audit_result *result)
{
	for (size_t i = 0; i < result->count; i++)
		if (!result->findings[i].accepted)
			return AUDIT_FAILS;
	return result->count ? AUDIT_ACCEPTED : AUDIT_HOLDS;
}

size_t audit_count(const struct audit_report *report, enum audit_verdict verdict)
{
	size_t count = 0;

	for (size_t i = 0; i < report->count; i++)
		count += audit_verdict(&report->results[i]) == verdict;
	return count;
}

static void clear_result(struct audit_result *result)
{
	for (size_t i = 0; i < result->count; i++) {
		free(result->findings[i].path);
		free(result->findings[i].text);
	}
	free(result->findings);
	free(result->seen);
}

void audit_report_clear(struct audit_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		clear_result(&report->results[i]);
	free(report->results);
	free(report->unused);
	*report = (struct audit_report) { .results = NULL };
}
