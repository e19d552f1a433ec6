/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_VM_TEST_BOOT_H
#define KILN_VM_TEST_BOOT_H

#include <stdbool.h>

struct error;
struct host;
struct manifest;
struct proof;

/*
 * Boots an unmodified disk on a model of an EC2 machine (q35, NVMe as the only boot option, network
 * card without option ROM, tpm-crb, SHA-256 and SHA-384 banks) with Kiln's TPM proxy between QEMU and
 * swtpm, and nothing else. The disk file is never written.
 */
struct boot_options {
	const struct host *host;
	const char *disk;		/* raw file */
	const char *firmware_code, *firmware_vars;	/* OVMF .secboot.fd; the variables are copied */
	const char *firmware_name;	/* package and version, for the proof */
	const char *tmp;		/* where its scratch directory goes */
	unsigned int memory_mib, cpus;	/* 0: 1024 and 2 */
	unsigned int port;		/* on 127.0.0.1, forwarded to the service's port; 0: a free one */
	unsigned int timeout_s;		/* to the service's answer */
};

/*
 * Waits until the service answers GET /health on the forwarded port, reads the PCRs through the
 * proxy and compares. 0 with *ret filled also when not proven (ret->proven false); an error when no
 * verdict was possible: QEMU or swtpm failed to start or ended early, the port is taken, or the time
 * ran out (the message carries the console's last lines). No child is left in any case.
 */
int boot_prove(const struct boot_options *options, const struct manifest *m, struct proof **ret,
	       struct error *err);

/* Interactive: console on this terminal, until the guest powers off or Ctrl-A X. `m` may be NULL. */
int boot_run(const struct boot_options *options, const struct manifest *m, struct error *err);

#endif
