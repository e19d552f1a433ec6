/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_HOST_H
#define KILN_BASE_HOST_H

#include <stdbool.h>

struct error;

/* What this host can do for virtual machines. Both the appliance and the boot proof ask here. */

enum host_accel { HOST_TCG, HOST_KVM };

struct host {
	char qemu[512];			/* path of qemu-system-x86_64 */
	int qemu_major, qemu_minor;
	enum host_accel accel;
	char accel_reason[256];		/* "no /dev/kvm", "/dev/kvm runs guests", "... opens but never executes a guest" */
	bool single_thread;		/* QEMU older than 10 corrupts multi-threaded TCG guests */
};

/*
 * Finds QEMU and decides between KVM and TCG by executing a tiny guest that must answer within ten
 * seconds; the verdict is kept in the cache directory for this boot of the host (boot_id) and this
 * QEMU. KILN_ACCEL=tcg or =kvm overrides the probe. Error: no QEMU (ERROR_OUTSIDE, says the package).
 */
int host_probe(struct host *ret, struct error *err);

/*
 * For a guest that KVM could not run after all: takes TCG, and remembers that for this boot of the host. False where
 * KILN_ACCEL asks for KVM: then whoever does that is to know.
 */
bool host_distrust_kvm(struct host *host);

/* The -accel argument: "kvm", "tcg,thread=multi" or "tcg,thread=single". Static string. */
const char *host_accel_argument(const struct host *host);

#endif
