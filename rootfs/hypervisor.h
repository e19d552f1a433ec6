/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_ROOTFS_HYPERVISOR_H
#define KILN_ROOTFS_HYPERVISOR_H

#include "../factory/base/buf.h"

struct error;
struct host;

/* Environment: where that program leaves its process number; it stays QEMU's. */
#define HYPERVISOR_PID_FILE "KILN_QEMU_PID_FILE"

/* What starts a kernel without looking around for anything else to start, where QEMU has brought it along. */
#define HYPERVISOR_QUICK_FIRMWARE "/usr/share/qemu/qboot.rom"

/*
 * The program that libguestfs takes for QEMU: a shell script that adds what libguestfs has no
 * setting for. QEMU dies with the process that started it, TCG gets the number of threads that the host's
 * QEMU can bear, a full disk is a failed write, and a kernel is started by the quick firmware.
 */
int hypervisor_script(const struct host *host, struct buf *ret);
/* Written below `directory`, only where it differs: libguestfs tests the features of every QEMU it has
 * not seen before, by its time stamp. malloc'ed. */
int hypervisor_write(const struct host *host, const char *directory, char **ret, struct error *err);

#endif
