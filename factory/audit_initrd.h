/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_AUDIT_INITRD_H
#define KILN_FACTORY_AUDIT_INITRD_H

#include <stddef.h>
#include <stdint.h>

struct error;

/* Appends the names in an initrd to a list of *count malloc'ed strings: archives one after another, each plain or
 * compressed. ERROR_INPUT: something in it cannot be read. */
int audit_initrd_names(const uint8_t *data, size_t size, char ***names, size_t *count, struct error *err);

#endif
