/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_TAMPER_KEYS_H
#define KILN_FACTORY_TAMPER_KEYS_H

#include "enrol.h"

struct error;
struct tamper_input;

/* What the tamper matrix needs of keys: somebody else's keyring, made for it; boot files that are signed by that or by nobody. */
struct tamper_keys {
	struct enrolled foreign;
	struct varstore_variable revoked[SECURE_VARIABLES];	/* the image's own, but for dbx */
	struct buf dbx, unsigned_image, foreign_image;
};
#define TAMPER_KEYS_INIT { .foreign = ENROLLED_INIT, .dbx = BUF_INIT(SIZE_MAX), .unsigned_image = BUF_INIT(SIZE_MAX), \
			   .foreign_image = BUF_INIT(SIZE_MAX) }

/*
 * `own` is the keyring's, as enrolled; what is made points into it. Scratch files go below `tmp`. Fills in the input's
 * keys and images.
 */
int tamper_keys_make(const char *keyring, const struct enrolled *own, const char *disk, const char *tmp,
		     struct tamper_keys *ret, struct tamper_input *input, struct error *err);
void tamper_keys_clear(struct tamper_keys *k);
#define CLEANUP_TAMPER_KEYS __attribute__((cleanup(tamper_keys_clear)))

#endif
