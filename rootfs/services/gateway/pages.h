/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GATEWAY_PAGES_H
#define GATEWAY_PAGES_H

#include <stddef.h>

#include "pcrs.h"

/* What the service answers, as malloc'ed text; NULL for lack of memory, or when it cannot be read. `pcrs` is NULL when the TPM
 * could not be read. */

char *page_licence(const struct pcrs *pcrs);		/* plain text */
char *page_health(const struct pcrs *pcrs);		/* JSON */
char *page_measurements(const struct pcrs *pcrs);	/* JSON */
char *page_front(const struct pcrs *pcrs);		/* HTML */

#endif
