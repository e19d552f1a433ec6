/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_PREDICT_STUB_H
#define KILN_FORMAT_PREDICT_STUB_H

#include <stdbool.h>

#include "pe.h"

struct error;
struct pcr_log;

/* Part of predict.c: what a UKI's systemd-stub and the kernel it starts measure, in order. */

bool stub_present(const struct pe *image);	/* is it a UKI, that is, has it a section .linux? */

/* The events' digests come with pcr_log_settle(). ERROR_INPUT: the stub's version cannot be told or is older than 252; the kernel is no PE image; a
 * section is used in a way whose outcome depends on the machine. */
int stub_events(const struct pe *uki, bool secure_boot, struct pcr_log *log, struct error *err);

#endif
