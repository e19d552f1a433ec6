/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_VM_TEST_TAMPER_H
#define KILN_VM_TEST_TAMPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../factory/base/buf.h"
#include "observe.h"
#include "tamper_input.h"

struct error;
struct manifest;

/*
 * The tamper matrix: each row changes one thing of a copy of the disk, or of the machine, boots that, and says what has to
 * come of it. Rows are tried on the machine with Secure Boot off, and with it on where there are keys.
 */

struct tamper_result {
	const struct tamper_row *row;
	bool secure_boot;
	enum boot_end end;
	bool fetched;
	uint32_t different;		/* PCRs other than predicted: bit n = PCR n */
	char said[CONSOLE_LINE_MAX + 1];
	double seconds;
	bool as_stated;
};

struct tamper_report {
	struct tamper_result *results;
	size_t count;
	size_t wrong;			/* of them, those that did not come out as stated */
};
void tamper_report_clear(struct tamper_report *r);
#define CLEANUP_TAMPER_REPORT __attribute__((cleanup(tamper_report_clear)))

/* Disk and machine are as before. ERROR_OUTSIDE: mtools are missing, or QEMU or swtpm could not be started. */
int tamper_run(const struct tamper_input *in, struct tamper_report *ret, struct error *err);
/* tamper-report.json, and the table for people. */
int tamper_report_format(const struct tamper_report *r, const struct manifest *m, struct buf *ret, struct error *err);
int tamper_report_table(const struct tamper_report *r, struct buf *ret);
/* The rows' names and what they change, a line each. */
int tamper_list(struct buf *ret);

#endif
