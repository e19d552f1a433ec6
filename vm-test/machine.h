/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_VM_TEST_MACHINE_H
#define KILN_VM_TEST_MACHINE_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

struct boot_options;
struct buf;
struct console;
struct error;
struct tpm_proxy;

/*
 * One running machine: QEMU, swtpm and the TPM proxy between them, the console, and a scratch
 * directory. It has no loop of its own; whoever runs it calls machine_step() again and again.
 */
struct machine;

/* ERROR_INPUT when the port is taken. `guest_port` is what the host's port leads to. */
int machine_start(const struct boot_options *options, unsigned int guest_port, bool allow_reboot,
		  struct machine **ret, struct error *err);
/* Takes power, TPM and scratch directory away; NULL is a no-op. */
void machine_free(struct machine *m);
void machine_freep(struct machine **m);
#define CLEANUP_MACHINE __attribute__((cleanup(machine_freep)))

/*
 * Waits for at most `timeout_ms` for something to happen, serves the TPM and reads the console (to the
 * log file, and to `output` if not NULL). Also waits for the caller's `extra` descriptors, for the
 * caller to serve; revents are set, and zeroed on failure. -EINTR after a signal; ERROR_OUTSIDE when
 * swtpm failed. That QEMU ended is no error: machine_ended() tells.
 */
int machine_step(struct machine *m, struct pollfd *extra, size_t extra_count, int timeout_ms,
		 struct buf *output, struct error *err);

/* Has QEMU ended? Then `ret_reason` (may be NULL) gets why, for a message: "QEMU exited 1: ...". */
bool machine_ended(struct machine *m, struct buf *ret_reason);
unsigned int machine_port(const struct machine *m);	/* on 127.0.0.1 */
const struct console *machine_console(const struct machine *m);
struct tpm_proxy *machine_tpm(struct machine *m);
/*
 * Examination (boot_options.examined): ours of the socket pairs for the network card (datagrams, a frame each), QEMU's
 * control connection (qmp.h) and the second serial port. They belong to the machine and do not block; -1 of another machine.
 */
struct machine_sockets {
	int network, control, second_console;
};
const struct machine_sockets *machine_sockets(const struct machine *m);
/* Types into the console. What the guest does not take in is dropped, as on a real line. */
void machine_type(struct machine *m, const void *data, size_t size);

#endif
