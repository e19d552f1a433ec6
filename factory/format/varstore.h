/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_VARSTORE_H
#define KILN_FORMAT_VARSTORE_H

#include <stddef.h>
#include <stdint.h>

struct error;

/*
 * The variable store in the flash image of an EDK2 firmware (OVMF_VARS): a firmware volume (PI Specification, volume 3,
 * 3.2.1) with one store of authenticated variables (EDK2, MdeModulePkg/Include/Guid/VariableFormat.h), which begins
 * behind the volume's header and is empty, 0xff, behind its last variable.
 */

#define VARSTORE_NAME_MAX 64

struct varstore_variable {
	char name[VARSTORE_NAME_MAX + 1];	/* printable ASCII; another character of the store reads as '?' */
	uint8_t guid[16];
	uint32_t attributes;		/* EFI_VARIABLE_... (UEFI Specification 8.2) */
	const uint8_t *data;
	size_t size;
};

/*
 * Calls `each` for every variable that is valid, in order; what it gets points into the image. Non-zero from `each` stops the
 * walk and becomes the result. ERROR_INPUT: no firmware volume, no store of authenticated variables, or one that is damaged.
 */
int varstore_walk(const uint8_t *image, size_t size, int (*each)(const struct varstore_variable *v, void *arg), void *arg,
		  struct error *err);

/*
 * Writes a variable behind the last one. The store must not hold it yet. ERROR_INPUT: as above, or there is no room; the image is
 * then as it was.
 */
int varstore_add(uint8_t *image, size_t size, const struct varstore_variable *v, struct error *err);

#endif
