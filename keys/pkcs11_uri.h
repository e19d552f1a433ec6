/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_KEYS_PKCS11_URI_H
#define KILN_KEYS_PKCS11_URI_H

#include <stdbool.h>

struct error;

/* A "pkcs11:" URI (RFC 7512) taken apart as far as Kiln has to do with it. Strings malloc'ed. */
struct pkcs11_uri {
	char *key;		/* what the provider gets: without the two below */
	char *module_path;	/* NULL: not given */
	char *pin_file;		/* likewise */
};

bool is_pkcs11_uri(const char *text);
/* ERROR_INPUT: a PIN in it, or a pin-source that is no file. */
int pkcs11_uri_parse(const char *text, struct pkcs11_uri *ret, struct error *err);
void pkcs11_uri_clear(struct pkcs11_uri *u);
#define CLEANUP_PKCS11_URI __attribute__((cleanup(pkcs11_uri_clear)))

#endif
