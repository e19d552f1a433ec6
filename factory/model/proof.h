/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_PROOF_H
#define KILN_MODEL_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../format/pcr.h"

struct error;
struct manifest;

/* boot-proof.json: what one boot of the disk measured, held against the manifest. */

#define PROOF_SCHEMA 3

struct proof_row {
	unsigned int pcr;
	enum digest_alg alg;
	struct digest predicted, measured;
	bool equal;
	/* When not equal: the first event that differs. Index among this PCR's events, from 0. */
	unsigned int diverges_at;
	char expected_label[96];	/* "" when the boot measured more than was predicted */
	struct digest expected, seen;	/* what was to be extended, what was (all zero: nothing was) */
	bool nothing_seen;
};

struct proof {
	char disk_data_sha256[65];	/* data digest (base/data_digest.h) of the disk that was booted */
	char *firmware;			/* package and version */
	char *qemu;			/* version text */
	char *accel;			/* "kvm", "tcg" */
	bool secure_boot;		/* on, with the keys that the manifest names */
	bool service_answered;
	double seconds;			/* from power on to the answer */
	struct pcr_log events;		/* every extend seen, in order; label = predicted label or "" */
	struct proof_row *rows;		/* sorted by PCR, then bank (sha384 first) */
	size_t row_count;
	bool proven;			/* service answered and all rows equal */
};

struct proof *proof_new(void);
void proof_free(struct proof *p);
void proof_freep(struct proof **p);
#define CLEANUP_PROOF __attribute__((cleanup(proof_freep)))

/*
 * Fills rows and `proven` from a prediction (events, and the PCRs it speaks for: bit n = PCR n), the extends seen
 * (p->events) and the PCRs read from the TPM: measured[pcr][alg]. Pure. A measured value that is not the replay of the seen
 * extends also counts as different.
 */
void proof_compare(struct proof *p, const struct pcr_log *predicted, uint32_t pcr_mask,
		   struct digest measured[static PCR_COUNT][DIGEST_ALGS]);
/*
 * What a boot-proof.json says: all but the extends that were seen, and where a row diverges. Fuzzed. ERROR_INPUT: it is
 * none, or of an older or newer Kiln.
 */
int proof_parse(const void *json, size_t size, const char *file, struct proof **ret, struct error *err);
/*
 * Is this the proof of what the manifest describes, with Secure Boot on or off? Its disk, the service's answer, and every PCR
 * of the prediction measured in both banks as predicted. ERROR_VERDICT says what it lacks.
 */
int proof_check(const struct proof *p, const struct manifest *m, bool secure_boot, struct error *err);
int proof_format(const struct proof *p, struct buf *ret, struct error *err);	/* JSON text */
/* The table for people: PCR / bank / predicted / measured / verdict, and a line per divergence. */
int proof_table(const struct proof *p, struct buf *ret);

#endif
