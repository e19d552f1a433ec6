/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_KEYS_KEYRING_FILE_H
#define KILN_KEYS_KEYRING_FILE_H

#include "keyring_entries.h"

struct error;

/* The file of a keyring (keyring.h has its form); for keys/ alone. */

#define KEYRING_FORM "kiln-keyring"
#define KEYRING_VERSION "1"
#define KEYRING_DBX_FILE "dbx.esl"

/* Reads the file's text, which ends with a NUL and is cut up; `path` is for messages. Fuzzed. ERROR_INPUT. */
int keyring_parse(struct keyring *k, char *text, const char *path, struct error *err);
/* Writes the file "keyring" into a directory, in place of an earlier one; with "-" for every key if so wanted. */
int keyring_write(const struct keyring *k, const char *directory, bool without_keys, struct error *err);

#endif
