/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_KEYS_KEYRING_H
#define KILN_KEYS_KEYRING_H

#include "../factory/format/predict_secureboot.h"
#include "keyring_entries.h"

struct error;

/*
 * A keyring is a directory that holds the keys of one Secure Boot set: the platform key PK, the key exchange key
 * KEK, and the signature database's keys db (UEFI Specification 32.3). Its file "keyring" names them, one a line,
 * fields with a tab between two (base/fields.h):
 *
 *	kiln-keyring	1
 *	owner	GUID
 *	ROLE	CERTIFICATE	KEY
 *
 * ROLE is PK, KEK, db or dbx; CERTIFICATE a PEM file of the directory; KEY one with the private key (PKCS#8 PEM,
 * mode 0600), a "pkcs11:" URI (RFC 7512), or "-" when it is elsewhere. One PK, one KEK, one or more db, of which the
 * first signs images and the others are merely let in; a certificate of role dbx is refused by the firmware. The
 * file dbx.esl, where it is there, is a signature list that goes into dbx first.
 *
 * Opening a keyring reads what is public and checks it; a private key is opened where something is to be signed, and
 * never leaves keys/.
 */

/*
 * ERROR_INPUT: there is no keyring, a file of it is missing or no PEM, a certificate has expired, is not yet valid,
 * or has a key that Kiln does not sign with; a private key in a file does not fit its certificate or may be read by
 * others. (Whether a key behind a URI fits is seen when it signs.)
 */
int keyring_open(const char *directory, struct keyring **ret, struct error *err);

/*
 * The four variables' values as the firmware will hold them and PCR 7 measures them: signature lists, one for each
 * certificate. dbx may be empty: then the variable is absent.
 */
struct keyring_variables {
	struct buf values[SECURE_VARIABLES];	/* by role */
};
#define KEYRING_VARIABLES_INIT { .values = { BUF_INIT(SIZE_MAX), BUF_INIT(SIZE_MAX), BUF_INIT(SIZE_MAX), \
					     BUF_INIT(SIZE_MAX) } }
void keyring_variables(const struct keyring *k, struct keyring_variables *ret);
void keyring_variables_free(struct keyring_variables *v);
#define CLEANUP_KEYRING_VARIABLES __attribute__((cleanup(keyring_variables_free)))
/* For predict_boot(); points into `v`. */
struct predict_keys keyring_variables_predict(const struct keyring_variables *v);

#endif
