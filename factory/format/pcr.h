/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_PCR_H
#define KILN_FORMAT_PCR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "../base/digest.h"

struct buf;
struct error;

/*
 * PCR arithmetic and the ordered list of events that leads to it (TCG PC Client Platform Firmware
 * Profile 1.06). An event carries one digest per bank and a label for people.
 */

#define PCR_COUNT 24

/* The event types that a boot of a Kiln image meets (PFP 1.06, 10.4.1). */
#define EV_SEPARATOR 0x00000004u
#define EV_EVENT_TAG 0x00000006u
#define EV_IPL 0x0000000du
#define EV_EFI_VARIABLE_DRIVER_CONFIG 0x80000001u
#define EV_EFI_BOOT_SERVICES_APPLICATION 0x80000003u
#define EV_EFI_GPT_EVENT 0x80000006u
#define EV_EFI_ACTION 0x80000007u
#define EV_EFI_VARIABLE_AUTHORITY 0x800000e0u

struct pcr_event {
	unsigned int pcr;
	uint32_t type;			/* TCG event type, e.g. 0x80000003 EV_EFI_BOOT_SERVICES_APPLICATION */
	char label[96];			/* "UKI \EFI\BOOT\BOOTX64.EFI", "separator", ".cmdline contents" */
	struct digest digests[DIGEST_ALGS];	/* indexed by enum digest_alg */
	/* The bank was not extended: replay passes over it. Never set in a prediction; a program may
	 * extend a PCR in one bank only, and a boot's record has to say so. */
	bool absent[DIGEST_ALGS];
};

struct pcr_log {
	struct pcr_event *events;
	size_t count, cap;
	struct pcr_pending *pending;	/* see pcr_log_add_later() */
};
#define PCR_LOG_INIT { .events = NULL }
void pcr_log_free(struct pcr_log *log);
#define CLEANUP_PCR_LOG __attribute__((cleanup(pcr_log_free)))

/* Appends an event whose digests are those of `data` (both banks). Aborts for lack of memory. */
void pcr_log_add_data(struct pcr_log *log, unsigned int pcr, uint32_t type, const char *label,
		      const void *data, size_t size);
/* The same for data in several pieces, hashed as if they were one. */
void pcr_log_add_vector(struct pcr_log *log, unsigned int pcr, uint32_t type, const char *label,
			const struct iovec *parts, size_t count);
/* Appends one with digests computed elsewhere. */
void pcr_log_add(struct pcr_log *log, const struct pcr_event *event);

/*
 * For long data: the event stands in the log at once, but has no digests until pcr_log_settle(), which computes
 * all that are missing side by side. The bytes must stay until then (the array of parts need not);
 * pcr_log_keep() takes bytes over that would not, and leaves an empty buffer.
 */
void pcr_log_add_later(struct pcr_log *log, unsigned int pcr, uint32_t type, const char *label,
		       const struct iovec *parts, size_t count);
void pcr_log_keep(struct pcr_log *log, struct buf *bytes);
void pcr_log_settle(struct pcr_log *log);

/* All zero bytes, except 17..22 which start as all ones (PC Client profile 3.3.1). */
void pcr_reset(unsigned int pcr, enum digest_alg alg, struct digest *ret);
/* new = H(old || digest). */
void pcr_extend(struct digest *value, const struct digest *digest);
/* The value of `pcr` after every event of the log that names it. */
void pcr_replay(const struct pcr_log *log, unsigned int pcr, enum digest_alg alg, struct digest *ret);

#endif
