/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_VM_TEST_OBSERVE_H
#define KILN_VM_TEST_OBSERVE_H

#include <stdint.h>

#include "../factory/base/digest.h"
#include "../factory/format/pcr.h"
#include "console.h"

struct boot_options;
struct error;
struct manifest;

/* What one boot of a disk came to, whatever that is: for disks and machines that somebody has tampered with. */

enum boot_end {
	BOOT_ANSWERED,		/* its service answered */
	BOOT_UNWELL,		/* its service answered that it is not well (503) */
	BOOT_REFUSED,		/* the firmware did not trust what it was to start */
	BOOT_STOPPED,		/* the kernel, or what ran on it, gave up: a panic, a reset */
	BOOT_NOTHING,		/* the firmware found nothing to start */
	BOOT_SILENT,		/* none of these within the time */
};
extern const char *const boot_end_names[];	/* "boots", ... */

struct boot_observation {
	enum boot_end end;
	bool fetched;			/* `path` was asked for and answered with 200 */
	char said[CONSOLE_LINE_MAX + 1];	/* the line of the console that tells why it ended; "" */
	double seconds;
	struct pcr_log events;		/* every extend, in order */
	/* Read out of the TPM when the service had answered (and both banks are there), else what the extends lead to. */
	struct digest measured[PCR_COUNT][DIGEST_ALGS];
};

/*
 * Boots until one of these ends; when the service answers, asks it for `path` as well (NULL: no). An error when QEMU or
 * swtpm could not be started. *ret is to be freed also after an error.
 */
int boot_observe(const struct boot_options *options, unsigned int service_port, const char *path,
		 struct boot_observation *ret, struct error *err);
void boot_observation_clear(struct boot_observation *o);
#define CLEANUP_BOOT_OBSERVATION __attribute__((cleanup(boot_observation_clear)))

/* Which of the predicted PCRs (bit n = PCR n) came out otherwise, in either bank. */
uint32_t boot_differences(const struct boot_observation *o, const struct pcr_log *predicted, uint32_t pcr_mask);

#endif
