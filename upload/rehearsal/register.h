/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_REGISTER_H
#define KILN_REHEARSAL_REGISTER_H

#include "call.h"

/* RegisterImage, with what EC2 is known to refuse. */
void register_image(struct call *c);
extern const char *const register_parameters[];

#endif
