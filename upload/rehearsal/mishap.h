/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_MISHAP_H
#define KILN_REHEARSAL_MISHAP_H

#include <stdbool.h>

#include "call.h"

/* What a fault does to a call. */

/* Decides which fault it meets; once, as soon as its operation is known. Counts it as under way. */
void mishap_take(struct call *c);
/* Answers instead of the operation; false: the fault is none of those. */
bool mishap_instead(struct call *c);
/* What happens to the answer of an operation that was done. */
void mishap_around(struct call *c);

#endif
