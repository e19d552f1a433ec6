/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_VM_TEST_VERIFY_H
#define KILN_VM_TEST_VERIFY_H

#include "../factory/base/digest.h"
#include "../factory/format/pcr.h"

struct error;
struct tpm_proxy;

/*
 * Reads every PCR of both banks out of the running machine's TPM, through the proxy and between the
 * guest's commands. All values are of one moment: it fails when a PCR changed meanwhile (the TPM's
 * pcrUpdateCounter), which the proxy rules out.
 */
int verify_read_pcrs(struct tpm_proxy *proxy, struct digest ret[static PCR_COUNT][DIGEST_ALGS],
		     struct error *err);

#endif
