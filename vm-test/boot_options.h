/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_VM_TEST_BOOT_OPTIONS_H
#define KILN_VM_TEST_BOOT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct host;
struct varstore_variable;

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
	const struct varstore_variable *variables;	/* what the firmware's store holds besides, from the first start on */
	size_t variable_count;
	bool secure_boot;		/* those are the keys; the prediction with Secure Boot on is meant */
	const char *tmp;		/* where its scratch directory goes */
	unsigned int memory_mib, cpus;	/* 0: 1024 and 2 */
	unsigned int port;		/* on 127.0.0.1, forwarded to the service's port; 0: a free one */
	unsigned int timeout_s;		/* to the service's answer */

	/* What no machine on EC2 is made with: for the tamper matrix and the audit alone. */
	bool order_from_variables;	/* the store's BootOrder counts, not that of the machine */
	bool sha256_only;		/* the TPM has no SHA-384 bank */
	const char *second_disk;	/* raw file, a second NVMe disk; NULL: none */
	const char *smbios_string;	/* SMBIOS type 11; NULL: none */
	const char *typed;		/* into the serial console, every second; NULL: nobody types */
	bool examined;			/* machine.h, "examination": what the audit of a running machine needs */
};

#endif
