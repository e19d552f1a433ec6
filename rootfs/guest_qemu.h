/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_GUEST_QEMU_H
#define KILN_ROOTFS_GUEST_QEMU_H

#include <pthread.h>
#include <stdbool.h>

struct error;

/*
 * The QEMU that libguestfs runs, to be ended from outside: libguestfs's calls wait in poll() and know nothing of our
 * signals, and while it launches the guest it does not tell the process. The hypervisor script does.
 */
struct guest_qemu {
	char *pid_file;
	pthread_t watcher;
	bool watched;
	int stop_watching;		/* eventfd */
};
#define GUEST_QEMU_INIT { .stop_watching = -1 }

/*
 * Before the launch; `tmp` is a directory for the file with its number. From then on a signal (process_catch_signals)
 * kills it, whenever it is there: its disks are scratch, or never get published.
 */
int guest_qemu_watch(struct guest_qemu *q, const char *tmp, struct error *err);
/* Before it is reaped. */
void guest_qemu_stop_watching(struct guest_qemu *q);
void guest_qemu_kill(const struct guest_qemu *q);
void guest_qemu_clear(struct guest_qemu *q);

#endif
