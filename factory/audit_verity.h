/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FACTORY_AUDIT_VERITY_H
#define KILN_FACTORY_AUDIT_VERITY_H

struct bootfile;
struct error;

/*
 * Copies the part of a disk's root partition that its hash tree covers to a new file, and makes the tree of that copy
 * anew. 0: `to` is there, and has the root hash of the boot file's command line, and the disk's own tree is what it must
 * be. ERROR_VERDICT: something of that does not hold; `to` is there all the same unless there is no root at all.
 */
int audit_verity_copy(const struct bootfile *b, const char *to, const char *scratch, struct error *err);

#endif
