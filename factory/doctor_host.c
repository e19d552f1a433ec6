/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/io.h"
#include "base/sandbox.h"
#include "doctor.h"

/* The appliance's memory (rootfs/workshop.c) and what stands around it. */
#define MEMORY_MIB 3500
#define PROC_MAX (4 << 20)

/* ---------------------------------------------------------------- QEMU and its accelerator */

static void check_qemu(struct doctor *d)
{
	const struct host *host = &d->host;

	if (host->single_thread)
		doctor_say(d, FINDING_WARN, "QEMU",
			   "on Debian 12: apt-get install -t bookworm-backports qemu-system-x86 qemu-utils",
			   "%d.%d, %s; before version 10 multi-threaded emulation corrupts guests, so it gets one thread and takes twice the time",
			   host->qemu_major, host->qemu_minor, host->qemu);
	else
		doctor_say(d, FINDING_OK, "QEMU", NULL, "%d.%d, %s", host->qemu_major, host->qemu_minor,
			   host->qemu);
}

/* Does the processor, or the hypervisor we are in, offer what KVM needs? */
static bool processor_virtualizes(void)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	struct error err = ERROR_INIT;

	if (io_read_file("/proc/cpuinfo", PROC_MAX, &text, &err) < 0)
		return false;
	return strstr(buf_text(&text), " vmx") || strstr(buf_text(&text), " svm");
}

static const char *mend_kvm(void)
{
	if (!processor_virtualizes())
		return "choose a machine with (nested) virtualization";
	if (!io_exists("/dev/kvm"))
		return "sudo modprobe kvm_intel || sudo modprobe kvm_amd";
	if (access("/dev/kvm", R_OK | W_OK) < 0)
		return "sudo usermod --append --groups kvm \"$USER\", and log in again";
	return NULL;	/* it opens and does not work: nothing on this host mends that */
}

static void check_acceleration(struct doctor *d)
{
	const struct host *host = &d->host;

	if (host->accel == HOST_KVM)
		doctor_say(d, FINDING_OK, "acceleration", NULL, "kvm: %s", host->accel_reason);
	else
		doctor_say(d, FINDING_WARN, "acceleration", mend_kvm(),
			   "%s: %s; everything works and takes longer", host_accel_argument(host),
			   host->accel_reason);
}

/* ---------------------------------------------------------------- kernel and memory */

static void check_sandbox(struct doctor *d)
{
	struct error err = ERROR_INIT;
	int abi = 0;

	if (sandbox_supported(&abi, &err) < 0)
		doctor_say(d, FINDING_FAIL, "sandbox", "boot with \"landlock\" in lsm=, or export KILN_SANDBOX=weak",
			   "%s", err.message);
	else if (abi == 0)
		doctor_say(d, FINDING_WARN, "sandbox", NULL,
			   "no Landlock in this kernel; KILN_SANDBOX=weak does with the system call filter alone");
	else
		doctor_say(d, FINDING_OK, "sandbox", NULL, "Landlock, version %d of its interface", abi);
}

/* -1 when the kernel does not say. */
static int64_t available_mib(void)
{
	static const char field[] = "\nMemAvailable:";
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	struct error err = ERROR_INIT;
	const char *found;

	if (io_read_file("/proc/meminfo", PROC_MAX, &text, &err) < 0)
		return -1;
	found = strstr(buf_text(&text), field);
	return found ? (int64_t)(strtoull(found + strlen(field), NULL, 10) / 1024) : -1;
}

static void check_memory(struct doctor *d)
{
	int64_t mib = available_mib();

	if (mib < 0)
		return;
	if (mib < MEMORY_MIB)
		doctor_say(d, FINDING_WARN, "memory", "end other programs, or add swap",
			   "%" PRId64 " MiB available; the appliance and the boot proof take up to %d MiB",
			   mib, MEMORY_MIB);
	else
		doctor_say(d, FINDING_OK, "memory", NULL, "%" PRId64 " MiB available", mib);
}

void doctor_check_host(struct doctor *d)
{
	CLEANUP_FREE char *mend = doctor_install("qemu-system-x86", "qemu-system-x86-core");
	struct error err = ERROR_INIT;

	d->host_known = host_probe(&d->host, &err) == 0;
	if (d->host_known) {
		check_qemu(d);
		check_acceleration(d);
	} else {
		doctor_say(d, FINDING_FAIL, "QEMU", mend, "%s", err.message);
	}
	check_sandbox(d);
	check_memory(d);
}
