/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_ENROL_H
#define KILN_FACTORY_ENROL_H

#include <stddef.h>

#include "../keys/keyring.h"
#include "format/varstore.h"

struct error;
struct manifest;

/* A keyring's keys as variables for the firmware of a machine that is to boot with Secure Boot on. */
struct enrolled {
	struct keyring_variables values;
	struct varstore_variable variables[SECURE_VARIABLES];	/* they point into `values` */
	size_t count;
};
#define ENROLLED_INIT { .values = KEYRING_VARIABLES_INIT }

/*
 * ERROR_INPUT: as keyring_open(); the image was built without keys, its signature is still to be attached, or it was built
 * for other keys than these. What is in *ret afterwards is to be freed also after an error.
 */
int enrol_keyring(const char *directory, const struct manifest *m, struct enrolled *ret, struct error *err);
/* The same of an open keyring, whatever it is for. */
void enrol_variables(const struct keyring *k, struct enrolled *ret);
/* One variable with a value that stays the caller's. */
struct varstore_variable enrol_variable(enum secure_variable_id id, const struct buf *value);
void enrolled_clear(struct enrolled *e);
#define CLEANUP_ENROLLED __attribute__((cleanup(enrolled_clear)))

#endif
