/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_FORMAT_PE_H
#define KILN_FORMAT_PE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "../base/digest.h"

struct error;

/*
 * Portable Executable images, read with bounds: Microsoft PE/COFF specification, and the
 * Authenticode digest the way EDK2 computes it (Tcg2Dxe, MeasureBootPeCoff.c). Pure: bytes in,
 * facts out; everything points into the caller's bytes. Offsets and sizes are in bytes of the
 * file. Errors are ERROR_INPUT and name the offset.
 */

#define PE_SECTIONS_MAX 96

struct pe_section {
	char name[9];			/* NUL-terminated */
	uint32_t virtual_size, virtual_address;
	uint32_t raw_size, raw_offset;
	uint32_t characteristics;
	uint32_t header_offset;		/* of its 40-byte section header */
};

struct pe {
	const uint8_t *data;
	size_t size;
	bool plus;			/* PE32+ */
	uint16_t machine;		/* 0x8664 x86-64, 0xAA64 arm64 */
	uint32_t header_offset;		/* of "PE\0\0" */
	uint32_t optional_offset;
	uint32_t section_table_offset;
	uint32_t checksum_offset;
	uint32_t security_entry_offset;	/* data directory 4; 0 when there is none */
	uint32_t security_offset, security_size;	/* its contents: the attribute certificate table */
	uint32_t size_of_headers, size_of_image;
	uint32_t section_alignment, file_alignment;
	uint16_t major_image_version;
	unsigned int section_count;
	struct pe_section sections[PE_SECTIONS_MAX];
};

int pe_parse(const uint8_t *data, size_t size, struct pe *ret, struct error *err);
/* First section with exactly this name, or NULL. */
const struct pe_section *pe_find(const struct pe *pe, const char *name);
/* The bytes of a section as they lie in the file, clipped to VirtualSize. */
void pe_section_bytes(const struct pe *pe, const struct pe_section *s, const uint8_t **ret, size_t *ret_size);
/* What the Authenticode digest is made of, in order: checksum, security entry and certificates left out,
 * no padding. Some of the *ret_count pieces may be empty. */
#define PE_AUTHENTICODE_PIECES (PE_SECTIONS_MAX + 4)
int pe_authenticode_pieces(const struct pe *pe, struct iovec ret[static PE_AUTHENTICODE_PIECES],
			   size_t *ret_count, struct error *err);
int pe_authenticode(const struct pe *pe, enum digest_alg alg, struct digest *ret, struct error *err);

#endif
