/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_KEYS_KEYRING_ENTRIES_H
#define KILN_KEYS_KEYRING_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../factory/base/buf.h"
#include "../factory/format/secure_variable.h"

/* What a keyring (keyring.h) holds in memory. */

#define KEYRING_FILE "keyring"
#define KEYRING_NO_KEY "-"
#define KEYRING_ENTRIES_MAX 64

struct keyring_entry {
	enum secure_variable_id role;
	char *certificate_file;	/* name in the directory */
	char *key;		/* name in the directory, "pkcs11:..." or "-" */
	struct buf certificate;	/* DER */
	bool ecdsa;		/* P-256; else RSA */
	size_t signature_max;	/* bytes of its longest signature */
	char sha256[65];	/* of the certificate */
	char subject[128];	/* its common name; for people */
	char not_after[32];	/* "2046-11-28 18:00:00 UTC" */
};

struct keyring {
	char *directory;
	uint8_t owner[16];	/* GUID as firmware has it */
	struct keyring_entry *entries;	/* in the file's order */
	size_t count;
	struct buf dbx;		/* contents of dbx.esl; empty when there is none */
};

void keyring_free(struct keyring *k);
void keyring_freep(struct keyring **k);
#define CLEANUP_KEYRING __attribute__((cleanup(keyring_freep)))

/* The entry that signs for a role: the first. NULL for a role without one (dbx). */
const struct keyring_entry *keyring_signer(const struct keyring *k, enum secure_variable_id role);

/* Appends an entry of which nothing has been read yet. */
void keyring_add(struct keyring *k, enum secure_variable_id role, const char *certificate_file, const char *key);

#endif
