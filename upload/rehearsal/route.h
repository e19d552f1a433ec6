/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_ROUTE_H
#define KILN_REHEARSAL_ROUTE_H

#include "call.h"

/* Which operation a request is for, out of all tables. */

/* By method and path, whose variable segments become the call's; NULL: no path is like this. */
const struct operation *route_by_path(struct call *c);
/* Of those that a form names; NULL: there is none. */
const struct operation *route_by_name(enum service service, const char *name);
/* The call's segments. */
void route_free(struct call *c);
/* An operation's place among all, from 0 on. */
size_t route_number(const struct operation *operation);

#endif
