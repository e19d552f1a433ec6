/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_AUDIT_SECRETS_H
#define KILN_AUDIT_SECRETS_H

#include <stdbool.h>

#include "../packages/stanza.h"

/*
 * Does a line of a configuration file give a secret a value? A word like "password" or "token", "=" or ":", and then
 * at least 16 characters that look drawn by chance: letters and digits, few of them often. Names of files, variables
 * and the like do not. Fuzzed.
 */
bool secrets_line(struct text line);

#endif
