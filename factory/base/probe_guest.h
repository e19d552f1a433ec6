/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_PROBE_GUEST_H
#define KILN_BASE_PROBE_GUEST_H

#include <stdint.h>

/*
 * The smallest guest that tells a hypervisor that works from one that only says so: firmware for
 * QEMU's -bios that goes where a stock kernel goes (protected mode, paging, long mode), computes,
 * takes timer interrupts out of HLT, uses an instruction of BMI2 if the processor says that it has
 * them (a hypervisor that emulates the processor may say so and not know them; the kernel's
 * decompressor takes its word), and then answers through isa-debug-exit at port 0xf4. QEMU ends
 * with PROBE_GUEST_EXIT, and with nothing else that it uses for its own failures.
 */
#define PROBE_GUEST_SIZE 65536
#define PROBE_GUEST_EXIT 245

void probe_guest_build(uint8_t image[static PROBE_GUEST_SIZE]);

#endif
