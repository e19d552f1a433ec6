/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_VM_TEST_TAMPER_INPUT_H
#define KILN_VM_TEST_TAMPER_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct boot_options;
struct manifest;
struct varstore_variable;

/* What tamper_run() is given. */

/* A set of variables for the firmware; count 0: none. */
struct tamper_variables {
	const struct varstore_variable *items;
	size_t count;
};

struct tamper_input {
	const struct boot_options *options;	/* the machine as it should be, Secure Boot off */
	const struct manifest *manifest;
	struct tamper_variables keys;		/* those that the image was built with; none: only rows without Secure Boot */
	struct tamper_variables foreign_keys;	/* somebody else's */
	struct tamper_variables revoked_keys;	/* `keys`, with the image's own certificate in dbx */
	const uint8_t *foreign_image;		/* the boot file, signed with those foreign keys */
	size_t foreign_size;
	const uint8_t *unsigned_image;		/* the boot file without its signature */
	size_t unsigned_size;
	bool quick;				/* only the rows of the short form */
	const char *only;			/* only the rows of this name; NULL: all */
};

#endif
