/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_STAGES_VERITY_H
#define KILN_STAGES_VERITY_H

struct artifacts;
struct error;

#define ROOT_HASH_DIGITS 64

/* The root hash out of the verity stage's artifact "root.hash", without its newline. */
int verity_root_hash(const struct artifacts *artifacts, char ret[static ROOT_HASH_DIGITS + 1],
		     struct error *err);

#endif
