/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_STAGES_ACCOUNTS_H
#define KILN_STAGES_ACCOUNTS_H

#include "../factory/base/buf.h"

struct description;

/*
 * Appends the shell commands that make the description's users and groups in the tree at `root`, an
 * absolute path without blanks. As in KIWI: the first of a user's groups is the primary one, without
 * any the user gets a group of the same name; a user that exists already is changed. Without a
 * password the account is locked.
 */
int accounts_script(const struct description *d, const char *root, struct buf *ret);

#endif
