/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_KEYS_OPENSSL_ERROR_H
#define KILN_KEYS_OPENSSL_ERROR_H

#include "../factory/base/error.h"

/* OpenSSL's queue of errors as ours: the text, ": ", and what it says first; empties the queue. */
int openssl_input(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int openssl_outside(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
