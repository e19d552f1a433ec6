/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_EPOCH_H
#define KILN_FACTORY_EPOCH_H

#include <stdint.h>

struct error;

/* $SOURCE_DATE_EPOCH, else the time of day; seconds since 1970. For what is no image: those have the plan's.
 * ERROR_INPUT when it is set and no number. */
int epoch_now(int64_t *ret, struct error *err);

#endif
