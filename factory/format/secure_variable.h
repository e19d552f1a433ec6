/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_SECURE_VARIABLE_H
#define KILN_FORMAT_SECURE_VARIABLE_H

#include <stdint.h>

/* The variables that hold Secure Boot's keys (UEFI Specification 3.3 and 32.3), in the order in which PCR 7 has
 * them. */

enum secure_variable_id { SECURE_PK, SECURE_KEK, SECURE_DB, SECURE_DBX };
#define SECURE_VARIABLES 4

struct secure_variable {
	const char *name;
	const uint8_t *vendor;		/* GUID, 16 bytes */
};
extern const struct secure_variable secure_variables[SECURE_VARIABLES];

extern const uint8_t efi_guid_global[16];	/* 8be4df61-93ca-11d2-aa0d-00e098032b8c */
extern const uint8_t efi_guid_database[16];	/* d719b2cb-3d3a-4596-a3bc-dad00e67656f */

/* NON_VOLATILE, BOOTSERVICE_ACCESS, RUNTIME_ACCESS, TIME_BASED_AUTHENTICATED_WRITE_ACCESS. */
#define SECURE_VARIABLE_ATTRIBUTES 0x27u
#define EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS 0x20u
#define EFI_VARIABLE_APPEND_WRITE 0x40u

#endif
