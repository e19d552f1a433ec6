/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_VM_TEST_TAMPER_OPTION_H
#define KILN_VM_TEST_TAMPER_OPTION_H

#include <stddef.h>
#include <stdint.h>

#include "../factory/base/buf.h"

struct gpt_partition;

/* What an attacker writes for firmware and stub to read; pure. Each appends to `ret`; -ENOMEM, or -EINVAL for what does not fit. */

/* EFI_LOAD_OPTION (UEFI Specification 3.1.3): a file of a partition, with the options in UTF-16. */
int tamper_load_option(const struct gpt_partition *p, const char *path, const char *options, struct buf *ret);
/* An add-on of systemd-stub's: a PE image with nothing but a section ".cmdline". */
int tamper_addon(const char *cmdline, struct buf *ret);

#endif
