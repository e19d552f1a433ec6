/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_SHA1_H
#define KILN_BASE_SHA1_H

#include <stddef.h>

/*
 * SHA-1, for one purpose: the AWS CLI names its files of SSO tokens by it. Nothing is trusted because of it, which
 * is why it is no member of enum digest_alg.
 */

#define SHA1_DIGITS 40

/* Lower-case digits and a NUL byte. */
void sha1_hex(const void *data, size_t size, char ret[static SHA1_DIGITS + 1]);

#endif
