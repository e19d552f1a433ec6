/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_VM_TEST_QEMU_H
#define KILN_VM_TEST_QEMU_H

#include <stdbool.h>

struct error;
struct host;
struct process;

/* QEMU as a model of an EC2 machine. All paths are absolute or relative to the working directory. */
struct qemu_options {
	const struct host *host;
	const char *disk;		/* raw; opened read-only, writes go to a temporary file */
	const char *firmware_code;	/* read-only */
	const char *firmware_vars;	/* written by the guest */
	const char *tmp;		/* for the temporary file */
	unsigned int memory_mib, cpus;
	unsigned int host_port, guest_port;
	int tpm_fd;			/* connected unix socket: the tpm-emulator control connection */
	int console_fd;			/* connected socket: the first serial port */
	bool no_boot_index;		/* leaves it to the firmware which disk is booted */
	const char *second_disk, *smbios_string;	/* boot_options.h; NULL: none */
	/* Connected sockets of an examined machine, and no port is forwarded then; -1: an ordinary one. */
	int network_fd;			/* datagrams: Ethernet frames */
	int control_fd;			/* QMP */
	int second_console_fd;		/* the second serial port */
	bool allow_reboot;		/* false: a guest that resets ends the run */
};

int qemu_start(const struct qemu_options *options, struct process **ret, struct error *err);

/* "QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)"; malloc'ed. */
int qemu_version(const struct host *host, char **ret, struct error *err);

#endif
