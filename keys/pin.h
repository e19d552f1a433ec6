/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_KEYS_PIN_H
#define KILN_KEYS_PIN_H

#include <openssl/ui.h>

struct error;

/*
 * How OpenSSL gets a token's PIN: out of a file whose name is given, or which $KILN_PIN_FILE names, else from the
 * terminal. A file's PIN is its first line.
 */
struct pin;

/* `file` may be NULL. ERROR_INPUT: the file is missing, empty, or readable by others. */
int pin_new(const char *file, struct pin **ret, struct error *err);
/* Overwrites the PIN. */
void pin_free(struct pin *p);
void pin_freep(struct pin **p);
#define CLEANUP_PIN __attribute__((cleanup(pin_freep)))

/* What OSSL_STORE_open_ex() takes, with pin_data(). */
const UI_METHOD *pin_method(const struct pin *p);
void *pin_data(struct pin *p);

#endif
