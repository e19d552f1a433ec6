/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_MODEL_DESCRIPTION_FILES_H
#define KILN_MODEL_DESCRIPTION_FILES_H

struct description;
struct error;

/* What lies beside a description. Errors are ERROR_INPUT. */

enum files_kind { FILES_FILE, FILES_DIRECTORY };

/* A named file or directory: its absolute path, links resolved. With `directory` NULL nothing is looked
 * up and `path` is copied. */
int files_find(const char *directory, const char *path, enum files_kind kind, char **ret,
	       struct error *err);
/* The description itself: appliance.kiwi, else config.xml, else the single *.kiwi; malloc'ed. */
int files_description(const char *directory, char **ret, struct error *err);
/* Fills in the scripts and the overlay that KIWI finds by their names, and refuses those hooks that
 * KIWI would run and Kiln does not. */
int files_beside(struct description *d, struct error *err);

#endif
