/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_REHEARSAL_EBS_READ_H
#define KILN_REHEARSAL_EBS_READ_H

#include "../../factory/base/digest.h"
#include "call.h"

/* EBS direct APIs, the reading half. */
void answer_list_blocks(struct call *c);
void answer_list_changed(struct call *c);
void answer_get_block(struct call *c);

/* ValidationException, with the reason that EBS has for it. */
void answer_invalid(struct call *c, const char *reason, const char *sentence);
/* The answer's x-amz-Checksum headers, wrong ones if the fault says so. */
void answer_checksum(struct call *c, const struct digest *digest);

#endif
