/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_POLICY_H
#define KILN_MODEL_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/buf.h"

struct error;
struct json_t;
struct manifest;

/* Key policies of AWS KMS that bind measurements of a machine with NitroTPM. */

/*
 * May a policy, or a reference for one, bind just these PCRs (bit n = PCR n)? PCR 4 alone is no protection: with Secure Boot
 * off, kernel arguments from a boot option leave it as it is (GHSA-xrv8-2pf5-f3q7). ERROR_INPUT says so, and when there is
 * no PCR at all, one that nobody predicted, or PCR 7 alone of an image that is not built with keys.
 */
int policy_check(const struct manifest *m, bool secure_boot, uint32_t pcrs, struct error *err);

/*
 * The condition of a statement that allows kms:Decrypt: JSON, one object "Condition" with the keys
 * kms:RecipientAttestation:NitroTPMPCRn and the predicted SHA-384 values. Checked first.
 */
int policy_condition(const struct manifest *m, bool secure_boot, uint32_t pcrs, struct buf *ret, struct error *err);

/* What policies on an image bind. */
struct policy_binding {
	const struct manifest *manifest;	/* the caller's */
	bool secure_boot;
	uint32_t pcrs;				/* bit n = PCR n */
};

/* The binding for how EC2 starts the image: with Secure Boot on, and PCR 7 as well, if it was built with keys. */
struct policy_binding policy_binding_default(const struct manifest *m);

/* The name of KMS's condition key for a PCR: kms:RecipientAttestation:NitroTPMPCRn. */
#define POLICY_KEY_MAX 64
void policy_key(unsigned int pcr, char ret[static POLICY_KEY_MAX]);

/* Puts "KEY": "PREDICTED VALUE" of one bound PCR into `values`. Of what policy_check() has passed. */
void policy_put_value(struct json_t *values, const struct policy_binding *b, unsigned int pcr);
/* Those of all bound PCRs. */
void policy_put_values(struct json_t *values, const struct policy_binding *b);

#endif
