/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_SIGN_DISK_H
#define KILN_FACTORY_SIGN_DISK_H

#include "base/buf.h"

struct error;
struct keyring;

/*
 * Puts the signature into a disk that was built with --unsigned, and says so in the manifest beside it; both are
 * then the bytes that a build with the private key gives. `signature` NULL: sign with the keyring's own key.
 * Everything is checked before anything is written; ended in between, it can be done again. ERROR_INPUT: the disk
 * waits for no signature, or for another key's, or this is not the signature of its image.
 */
int sign_disk(const char *disk, const struct keyring *k, const struct buf *signature, struct error *err);

#endif
