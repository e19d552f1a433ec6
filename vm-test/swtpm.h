/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_VM_TEST_SWTPM_H
#define KILN_VM_TEST_SWTPM_H

#include <stdbool.h>

struct error;
struct process;

/*
 * Makes a new TPM 2.0 with SHA-256 and SHA-384 banks (or the former alone) and nothing else below DIR, and starts swtpm for
 * it. *ret_control is its control connection, an unnamed socket that no one else can reach.
 * ERROR_OUTSIDE names the Debian package when swtpm or swtpm_setup is missing.
 */
int swtpm_start(const char *dir, bool sha256_only, struct process **ret, int *ret_control, struct error *err);

#endif
