/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_UEFI_DATA_H
#define KILN_FORMAT_UEFI_DATA_H

#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"

struct error;

/*
 * EC2's UefiData: the non-volatile variables that a machine starts with, as RegisterImage takes them and
 * GetInstanceUefiData gives them. Base64 of "AMZNUEFI", a CRC-32C of all that follows, a version (0), and a zlib
 * stream of: u64 count; for each variable u64 and name (UTF-8), u64 and value, vendor GUID, u32 attributes, and with
 * attribute 0x20 an EFI_TIME, u64 and digest of the certificate that signed it. All little-endian.
 *
 * AWS's own stores are compressed with a preset dictionary, which Kiln neither has nor needs to write: a zlib stream
 * says itself whether it wants one. That EC2 takes a store without has not been tried.
 */

#define UEFI_DATA_TEXT_MAX 64000	/* characters of base64, of RegisterImage */
#define UEFI_DATA_SIZE_MAX (4 * 1024 * 1024)	/* of the variables */
#define UEFI_DATA_VARIABLES_MAX 1024

struct uefi_data_variable {
	char *name;			/* UTF-8, without NULs */
	struct buf value;
	uint8_t vendor[16];		/* GUID */
	uint32_t attributes;
	uint8_t time[16];		/* EFI_TIME; with attribute 0x20 only, else zeros */
	struct buf digest;		/* likewise; empty, or of the certificate */
};

struct uefi_data {
	struct uefi_data_variable *items;
	size_t count;
};
#define UEFI_DATA_INIT { .items = NULL }
void uefi_data_free(struct uefi_data *u);
#define CLEANUP_UEFI_DATA __attribute__((cleanup(uefi_data_free)))

/* Appends a variable; copies what it is given. Time and digest are those of one never written by a signed update:
 * zeros. */
void uefi_data_add(struct uefi_data *u, const char *name, const uint8_t vendor[static 16], uint32_t attributes,
		   const uint8_t *value, size_t size);

/* Appends the base64 text. ERROR_INPUT: it is longer than EC2 takes. No limit. */
int uefi_data_format(const struct uefi_data *u, struct buf *ret, struct error *err);
/* Fuzzed. ERROR_INPUT: no base64, no such store, a wrong checksum, another version, a preset dictionary, broken
 * inside. */
int uefi_data_parse(const char *text, size_t size, struct uefi_data *ret, struct error *err);

#endif
