/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_AUTHENTICATE_H
#define KILN_REHEARSAL_AUTHENTICATE_H

#include <stdbool.h>

#include "call.h"

/* Is it the signature of somebody who may sign, of now, with the session's token? Then the call has its principal;
 * else the answer says what is wrong. */
struct signature;
bool authenticate(struct call *c, const struct signature *s);

#endif
