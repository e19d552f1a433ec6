/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GATEWAY_PCRS_H
#define GATEWAY_PCRS_H

/*
 * The TPM's SHA-384 PCRs, read afresh from the kernel (Documentation/ABI/stable/sysfs-class-tpm,
 * "pcr-<hash>"): no privilege and no device node is needed, so the service holds neither.
 */

#define PCRS_COUNT 24
#define PCRS_HEX 96

struct pcrs {
	char hex[PCRS_COUNT][PCRS_HEX + 1];	/* lower case */
};

/* 0, or -errno: -ENODEV when the kernel shows no TPM with a SHA-384 bank. */
int pcrs_read(struct pcrs *ret);

#endif
