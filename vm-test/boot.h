/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_VM_TEST_BOOT_H
#define KILN_VM_TEST_BOOT_H

#include "boot_options.h"

struct error;
struct manifest;
struct proof;

/*
 * The disk must be the one that `m` describes: whoever has checked that has read it all, so it is not read
 * again. Waits until the service answers GET /health on the forwarded port, reads the PCRs through the
 * proxy and compares. 0 with *ret filled also when not proven (ret->proven false); an error when no
 * verdict was possible: QEMU or swtpm failed to start or ended early, the port is taken, or the time
 * ran out (the message carries the console's last lines). No child is left in any case.
 */
int boot_prove(const struct boot_options *options, const struct manifest *m, struct proof **ret,
	       struct error *err);

/* Interactive: console on this terminal, until the guest powers off or Ctrl-A X. `m` may be NULL. */
int boot_run(const struct boot_options *options, const struct manifest *m, struct error *err);

#endif
