/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_AUDIT_REPORT_H
#define KILN_FACTORY_AUDIT_REPORT_H

#include <stdbool.h>

struct audit_report;
struct buf;
struct error;
struct manifest;

/* For people: what fails and what is accepted, each with where; with `all` also what holds. Appended. Errors as buf's. */
int audit_report_table(const struct audit_report *report, bool all, struct buf *ret);
/* audit-report.json. Appended. */
int audit_report_format(const struct audit_report *report, const struct manifest *manifest, struct buf *ret, struct error *err);

#endif
