/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_VM_TEST_EXAMINE_H
#define KILN_VM_TEST_EXAMINE_H

#include "../factory/model/live.h"

struct boot_options;
struct error;

/*
 * Boots the unmodified disk and tries to get in from outside: all ports of TCP and UDP over IPv4 and IPv6, both serial
 * lines, a keyboard and a USB keyboard that is plugged in, the kernel's SysRq keys, Ctrl-Alt-Del (often enough for
 * systemd to do it by force), the power button, user data of a metadata service. For the machine's sake it has a screen
 * and a second serial port, so its PCRs are not those of the proof.
 *
 * 0 also if some of it worked: *ret says what, for the audit to judge. ERROR_OUTSIDE when the machine does not come up
 * or stops answering of itself. *ret is to be cleared also after an error.
 */
int boot_examine(const struct boot_options *options, unsigned int service_port, struct live *ret, struct error *err);

#endif
