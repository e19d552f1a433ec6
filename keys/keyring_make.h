/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_KEYS_KEYRING_MAKE_H
#define KILN_KEYS_KEYRING_MAKE_H

#include <stdbool.h>
#include <stdint.h>

struct error;

/* Making keyrings and changing their db. No file with a key is ever overwritten or removed. */

/* Firmware looks at no date, so these only end keys that nobody thought of. */
#define KEYRING_DAYS (20 * 365)		/* of PK and KEK */
#define KEYRING_DB_DAYS (10 * 365)
#define KEYRING_DAYS_MAX 36500

struct keyring_new {
	const char *name;		/* in front of the certificates' names: "NAME PK" */
	bool ecdsa;			/* P-256; else RSA-2048 */
	const char *uris[3];		/* of PK, KEK and db keys that a token has; NULL: make one */
	unsigned int days;		/* 0: as above */
	int64_t begin;			/* of validity, seconds since 1970 */
};

/* Makes PK, KEK and db in a directory that does not exist or is empty; it appears whole or not at all. */
int keyring_new(const char *directory, const struct keyring_new *options, struct error *err);

/* Makes a new db key, which from now on signs; the others stay in db. `days` as above. */
int keyring_rotate(const char *directory, const struct keyring_new *options, struct error *err);
/* Leaves the signing certificate alone in db; the others go, or if `revoke` into dbx. ERROR_INPUT: there are none. */
int keyring_finish(const char *directory, bool revoke, struct error *err);

#endif
