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
void enrolled_clear(struct enrolled *e);

#endif
