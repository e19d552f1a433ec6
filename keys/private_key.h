/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_KEYS_PRIVATE_KEY_H
#define KILN_KEYS_PRIVATE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

struct buf;
struct error;
struct keyring;
struct keyring_entry;

/*
 * Private keys: in files, or behind PKCS#11 by OpenSSL's provider for that (Debian: pkcs11-provider, of which Debian
 * 12 has one in its backports) and OSSL_STORE. Of a "pkcs11:" URI (RFC 7512) two attributes are Kiln's own business:
 * "module-path" names the module, and "pin-source=file:PATH" a file that holds the PIN; without it $KILN_PIN_FILE
 * names the file, else the PIN is asked for on the terminal. A URI with "pin-value" is refused: keyrings are no
 * place for a PIN.
 */

struct private_key;

/*
 * The key of an entry, which fits its certificate. ERROR_INPUT: it is elsewhere ("-"), missing, readable by others,
 * no PEM, or of another certificate; the PIN is wrong. ERROR_OUTSIDE: no provider, no token.
 */
int private_key_open(const struct keyring *k, const struct keyring_entry *entry, struct private_key **ret,
		     struct error *err);
void private_key_free(struct private_key *key);
void private_key_freep(struct private_key **key);
#define CLEANUP_PRIVATE_KEY __attribute__((cleanup(private_key_freep)))

/* A key behind PKCS#11 that has no certificate yet. */
int private_key_open_uri(const char *uri, struct private_key **ret, struct error *err);
/* For certificate_make(); the key's own, and its context. */
EVP_PKEY *private_key_pkey(const struct private_key *key);
OSSL_LIB_CTX *private_key_context(const struct private_key *key);

/* Appends the signature of the data's SHA-256: RSA with PKCS#1 v1.5, or ECDSA, DER. It has been verified. */
int private_key_sign(const struct private_key *key, const uint8_t *data, size_t size, struct buf *ret,
		     struct error *err);
/* Is it the signature of the data by the key of this certificate? ERROR_INPUT if not; says `name`. */
int signature_check(const struct keyring_entry *entry, const uint8_t *data, size_t size, const uint8_t *signature,
		    size_t signature_size, const char *name, struct error *err);

/* A new key, RSA of 2048 bits or P-256, as PKCS#8 PEM into a new file of mode 0600; it has no certificate yet. */
int private_key_make(const char *path, bool ecdsa, struct private_key **ret, struct error *err);

#endif
