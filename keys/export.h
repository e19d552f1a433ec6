/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_KEYS_EXPORT_H
#define KILN_KEYS_EXPORT_H

#include <stdint.h>

struct buf;
struct error;
struct keyring;

/* A keyring for others: signature lists, signed variable updates, EC2's UefiData, and the keyring without its keys. */

#define EXPORT_UEFI_DATA "uefi-data.aws"	/* base64, as RegisterImage takes it */
#define EXPORT_PUBLIC "public"

/*
 * Writes into a directory that does not exist or is empty: for each variable that has a value NAME.esl, and
 * NAME.auth where the key that signs it is at hand (PK signs itself and KEK, KEK signs db and dbx), dated `epoch`;
 * uefi-data.aws; and in public/ the keyring without its keys. The directory appears whole or not at all. The same
 * keyring and epoch give the same bytes, but for signatures by a P-256 key behind PKCS#11.
 */
int keyring_export(const struct keyring *k, const char *directory, int64_t epoch, struct error *err);

/* The variable store for EC2 alone, appended. */
int keyring_uefi_data(const struct keyring *k, struct buf *ret, struct error *err);

#endif
