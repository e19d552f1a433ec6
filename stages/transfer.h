/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_STAGES_TRANSFER_H
#define KILN_STAGES_TRANSFER_H

struct error;
struct guest;

/* Trees of the host into the appliance. Unpacked by the builder root's tar, owned by root. */

/*
 * The contents of `directory` into `to`, an absolute path, made if missing. Write permission for group
 * and others is dropped, for it depends on the umask of whoever checked the tree out. Directories that
 * are there keep owner and mode, and links to directories stay links.
 */
int transfer_tree(struct guest *g, const char *directory, const char *to, struct error *err);
/* An archive of any compression, likewise, with the owners and modes it holds. */
int transfer_archive(struct guest *g, const char *archive, const char *to, struct error *err);

#endif
