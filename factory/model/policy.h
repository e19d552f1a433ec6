/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_POLICY_H
#define KILN_MODEL_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/buf.h"

struct error;
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

#endif
