/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_TEMPLATE_H
#define KILN_REHEARSAL_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "query.h"

struct error;

/* What of a CloudFormation template (JSON) matters here. */
struct template {
	struct pairs resources;		/* logical id and type, in their order */
	struct pairs parameters;	/* name, and "required" or, where it has a default, "optional" */
	struct pairs outputs;		/* name, and the logical id or parameter that its value refers to, or "" */
	bool makes_roles, names_roles;	/* needs CAPABILITY_IAM, CAPABILITY_NAMED_IAM */
};
#define TEMPLATE_INIT { .makes_roles = false }

/* ERROR_INPUT: no JSON object, no resources, one without a type, a reference to nothing. Fuzzed. */
int template_parse(const char *text, size_t size, struct template *ret, struct error *err);
void template_free(struct template *t);
#define CLEANUP_TEMPLATE __attribute__((cleanup(template_free)))

#endif
