/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_UPLOAD_BACKOFF_H
#define KILN_UPLOAD_BACKOFF_H

/*
 * How long to wait, in milliseconds, once attempt number 1, 2, ... has failed: any time below a bound that is 200 ms
 * and doubles up to 20 s ("full jitter"), so that many who were turned away together do not come back together.
 */
unsigned int aws_backoff_ms(unsigned int attempt);

#endif
