/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_KEYS_KEYRING_FILE_H
#define KILN_KEYS_KEYRING_FILE_H

#include "keyring.h"

/* Writing keyrings; for keys/ alone. */

#define KEYRING_FORM "kiln-keyring"
#define KEYRING_VERSION "1"
#define KEYRING_DBX_FILE "dbx.esl"

/* Reads the file's text, which ends with a NUL and is cut up; `path` is for messages. Fuzzed. ERROR_INPUT. */
int keyring_parse(struct keyring *k, char *text, const char *path, struct error *err);
/* Appends an entry of which nothing has been read yet. */
void keyring_add(struct keyring *k, enum secure_variable_id role, const char *certificate_file, const char *key);
/* Writes the file "keyring" into a directory, in place of an earlier one; with "-" for every key if so wanted. */
int keyring_write(const struct keyring *k, const char *directory, bool without_keys, struct error *err);

#endif
