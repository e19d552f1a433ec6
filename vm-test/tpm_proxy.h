/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_VM_TEST_TPM_PROXY_H
#define KILN_VM_TEST_TPM_PROXY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../factory/base/buf.h"

struct error;
struct pcr_log;

/*
 * Stands between QEMU's tpm-emulator backend and swtpm. It relays the control connection, takes the
 * data connection that QEMU hands over on it for itself and gives swtpm one of its own, relays the
 * TPM's commands and responses one at a time, notes every PCR extend that succeeded, and puts
 * commands of its own between the guest's. It has no thread and no loop: the caller polls.
 */
struct tpm_proxy;

/* Both are connected unix sockets, and the proxy's from here on, also when this fails. */
int tpm_proxy_new(int qemu_control, int swtpm_control, struct tpm_proxy **ret, struct error *err);
void tpm_proxy_free(struct tpm_proxy *p);
void tpm_proxy_freep(struct tpm_proxy **p);
#define CLEANUP_TPM_PROXY __attribute__((cleanup(tpm_proxy_freep)))

/* What to poll for; entries not in use have a negative descriptor. */
#define TPM_PROXY_FDS 4
void tpm_proxy_poll(const struct tpm_proxy *p, struct pollfd fds[static TPM_PROXY_FDS]);
/* Serves what poll() found. QEMU closing its end is no error; swtpm closing before QEMU asked it to
 * shut down is, and so is anything that breaks the protocol. */
int tpm_proxy_serve(struct tpm_proxy *p, const struct pollfd fds[static TPM_PROXY_FDS],
		    struct error *err);

/* Every extend since the machine's start, in order; valid until the next tpm_proxy_serve(). */
const struct pcr_log *tpm_proxy_log(const struct tpm_proxy *p);
/* Has QEMU asked swtpm to shut down? Then swtpm's end is in order. */
bool tpm_proxy_shut_down(const struct tpm_proxy *p);

/*
 * Sends a command of Kiln's own and waits (a few seconds at most) for the response, which is
 * appended to `ret`; a command of the guest's that is under way is finished before. TPM_RC_RETRY is
 * obeyed. The response code is the caller's to look at.
 */
int tpm_proxy_command(struct tpm_proxy *p, const uint8_t *command, size_t size, struct buf *ret,
		      struct error *err);

#endif
