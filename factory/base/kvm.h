/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_KVM_H
#define KILN_BASE_KVM_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/* Under host_probe(): is KVM of use with this QEMU? */

enum probe_answer {
	PROBE_ANSWERED,		/* the guest ran */
	PROBE_SILENT,		/* QEMU started, the guest was not heard of within the time */
	PROBE_REFUSED,		/* QEMU ended by itself: it says why */
};

/* Runs the tiny guest with the given -accel argument. `why` gets QEMU's words when it refused. The
 * only errors are those that say nothing about KVM: an interrupt, no process to be had. */
int probe_run(const char *qemu, const char *accel, unsigned int timeout_ms, enum probe_answer *ret,
	      char *why, size_t why_size, struct error *err);

/* The verdict on `device` (/dev/kvm), from the cache directory where this boot of the host and this
 * QEMU have one. */
int kvm_verdict(const char *device, const char *qemu, const char *qemu_version, bool *ret,
		char *reason, size_t reason_size, struct error *err);

/* What the next kvm_verdict() with the same words is to say. */
void kvm_remember(const char *device, const char *qemu, const char *qemu_version, bool usable);

#endif
