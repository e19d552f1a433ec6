/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_STAGES_SIGN_H
#define KILN_STAGES_SIGN_H

struct plan;
struct stage_key;

/* Of the keyring, what decides about the boot file's bytes: whose certificate goes in, and whether the signature
 * does. */
void sign_key(const struct plan *plan, struct stage_key *key);

#endif
