/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_FORM_H
#define KILN_UPLOAD_FORM_H

#include <stddef.h>

#include "sigv4.h"

/* The parameters of a call of EC2's: a list that owns its texts. Pure. */
struct form {
	struct aws_pair *pairs;
	size_t count;
};
#define FORM_INIT { .pairs = NULL }
void form_free(struct form *f);
#define CLEANUP_FORM __attribute__((cleanup(form_free)))

/* Aborts for lack of memory. `name` as printf() has it: "Filter.%u.Name". */
void form_add(struct form *f, const char *value, const char *name, ...) __attribute__((format(printf, 3, 4)));
/* The value of the parameter; NULL without one. */
const char *form_get(const struct form *f, const char *name);

#endif
