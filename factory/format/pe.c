/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../base/bytes.h"
#include "../base/cleanup.h"
#include "../base/error.h"
#include "pe.h"

/* Offsets of the Microsoft PE/COFF specification, "MS-DOS Stub" to "Section Table". */
#define DOS_SIZE 64
#define DOS_LFANEW 0x3c
#define COFF_SIZE 20
#define PE_SIGNATURE_SIZE 4
#define SECTION_HEADER_SIZE 40
#define DIRECTORY_SIZE 8
#define DIRECTORIES_MAX 16
#define DIRECTORY_SECURITY 4
#define MAGIC_PE32 0x10b
#define MAGIC_PE32_PLUS 0x20b

/* Inside the optional header, where both kinds agree. */
#define OPT_SECTION_ALIGNMENT 32
#define OPT_FILE_ALIGNMENT 36
#define OPT_MAJOR_IMAGE_VERSION 44
#define OPT_SIZE_OF_IMAGE 56
#define OPT_SIZE_OF_HEADERS 60
#define OPT_CHECKSUM 64
/* The directories come last; their number stands right before them. */
#define OPT_DIRECTORIES_PE32 96
#define OPT_DIRECTORIES_PE32_PLUS 112

static int find_headers(struct pe *pe, struct error *err)
{
	uint32_t at;

	if (pe->size < DOS_SIZE)
		return error_input(err, "no PE image: %zu bytes are less than a DOS header", pe->size);
	if (pe->size > UINT32_MAX)
		return error_input(err, "no PE image: %zu bytes are more than 4 GiB", pe->size);
	if (memcmp(pe->data, "MZ", 2) != 0)
		return error_input(err, "no PE image: no \"MZ\" at offset 0");
	at = read_le32(pe->data + DOS_LFANEW);
	if (at < DOS_SIZE || !range_fits(at, PE_SIGNATURE_SIZE + COFF_SIZE, pe->size))
		return error_input(err, "no PE image: offset 0x3c points to 0x%x, outside of the file",
				   at);
	if (memcmp(pe->data + at, "PE\0\0", PE_SIGNATURE_SIZE) != 0)
		return error_input(err, "no PE image: no \"PE\" at offset 0x%x", at);
	pe->header_offset = at;
	pe->optional_offset = at + PE_SIGNATURE_SIZE + COFF_SIZE;
	return 0;
}

static int find_directories(struct pe *pe, uint32_t optional_size, struct error *err)
{
	uint32_t first = pe->plus ? OPT_DIRECTORIES_PE32_PLUS : OPT_DIRECTORIES_PE32;
	uint32_t at = pe->optional_offset + first;
	uint32_t count;

	if (optional_size < first || !range_fits(pe->optional_offset, optional_size, pe->size))
		return error_input(err, "PE optional header of %u bytes at offset 0x%x is cut short",
				   optional_size, pe->optional_offset);
	count = read_le32(pe->data + at - 4);
	/* EDK2 refuses anything else too (PeCoffLoaderGetPeHeader). */
	if (count > DIRECTORIES_MAX || optional_size - first != count * DIRECTORY_SIZE)
		return error_input(err, "PE optional header at offset 0x%x does not hold %u directories",
				   pe->optional_offset, count);
	if (count <= DIRECTORY_SECURITY)
		return 0;
	pe->security_entry_offset = at + DIRECTORY_SECURITY * DIRECTORY_SIZE;
	pe->security_offset = read_le32(pe->data + pe->security_entry_offset);
	pe->security_size = read_le32(pe->data + pe->security_entry_offset + 4);
	if (!range_fits(pe->security_offset, pe->security_size, pe->size))
		return error_input(err, "PE certificate table at offset 0x%x is cut short",
				   pe->security_offset);
	return 0;
}

static int parse_optional(struct pe *pe, struct error *err)
{
	const uint8_t *coff = pe->data + pe->header_offset + PE_SIGNATURE_SIZE;
	const uint8_t *optional = pe->data + pe->optional_offset;
	uint32_t optional_size = read_le16(coff + 16);
	uint16_t magic;
	int r;

	if (!range_fits(pe->optional_offset, 2, pe->size))
		return error_input(err, "PE image ends before its optional header at offset 0x%x",
				   pe->optional_offset);
	magic = read_le16(optional);
	if (magic != MAGIC_PE32 && magic != MAGIC_PE32_PLUS)
		return error_input(err, "PE optional header at offset 0x%x has magic 0x%x",
				   pe->optional_offset, magic);
	pe->plus = magic == MAGIC_PE32_PLUS;
	r = find_directories(pe, optional_size, err);
	if (r < 0)
		return r;
	pe->machine = read_le16(coff);
	pe->section_count = read_le16(coff + 2);
	pe->section_table_offset = pe->optional_offset + optional_size;
	pe->checksum_offset = pe->optional_offset + OPT_CHECKSUM;
	pe->section_alignment = read_le32(optional + OPT_SECTION_ALIGNMENT);
	pe->file_alignment = read_le32(optional + OPT_FILE_ALIGNMENT);
	pe->major_image_version = read_le16(optional + OPT_MAJOR_IMAGE_VERSION);
	pe->size_of_image = read_le32(optional + OPT_SIZE_OF_IMAGE);
	pe->size_of_headers = read_le32(optional + OPT_SIZE_OF_HEADERS);
	return 0;
}

static int parse_section(const struct pe *pe, uint32_t offset, struct pe_section *ret,
			 struct error *err)
{
	const uint8_t *h = pe->data + offset;
	struct pe_section s = {
		.virtual_size = read_le32(h + 8),
		.virtual_address = read_le32(h + 12),
		.raw_size = read_le32(h + 16),
		.raw_offset = read_le32(h + 20),
		.characteristics = read_le32(h + 36),
		.header_offset = offset,
	};

	memcpy(s.name, h, sizeof(s.name) - 1);
	if (s.raw_size > 0 && !range_fits(s.raw_offset, s.raw_size, pe->size))
		return error_input(err, "PE section header at offset 0x%x: 0x%x bytes at 0x%x are not in the file",
				   offset, s.raw_size, s.raw_offset);
	*ret = s;
	return 0;
}

static int parse_sections(struct pe *pe, struct error *err)
{
	uint64_t table_size = (uint64_t)pe->section_count * SECTION_HEADER_SIZE;
	int r;

	if (pe->section_count > PE_SECTIONS_MAX)
		return error_input(err, "PE image has %u sections, more than %d", pe->section_count,
				   PE_SECTIONS_MAX);
	if (pe->size_of_headers > pe->size)
		return error_input(err, "PE headers of 0x%x bytes are cut short at 0x%zx",
				   pe->size_of_headers, pe->size);
	if (!range_fits(pe->section_table_offset, table_size, pe->size_of_headers))
		return error_input(err, "PE section table at offset 0x%x passes the headers' end at 0x%x",
				   pe->section_table_offset, pe->size_of_headers);
	for (unsigned int i = 0; i < pe->section_count; i++) {
		r = parse_section(pe, pe->section_table_offset + i * SECTION_HEADER_SIZE,
				  &pe->sections[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

int pe_parse(const uint8_t *data, size_t size, struct pe *ret, struct error *err)
{
	struct pe pe = { .data = data, .size = size };
	int r;

	r = find_headers(&pe, err);
	if (r == 0)
		r = parse_optional(&pe, err);
	if (r == 0)
		r = parse_sections(&pe, err);
	if (r < 0)
		return r;
	*ret = pe;
	return 0;
}

const struct pe_section *pe_find(const struct pe *pe, const char *name)
{
	for (unsigned int i = 0; i < pe->section_count; i++)
		if (strcmp(pe->sections[i].name, name) == 0)
			return &pe->sections[i];
	return NULL;
}

void pe_section_bytes(const struct pe *pe, const struct pe_section *s, const uint8_t **ret,
		      size_t *ret_size)
{
	size_t size = s->raw_size < s->virtual_size ? s->raw_size : s->virtual_size;

	*ret = size > 0 ? pe->data + s->raw_offset : pe->data;
	*ret_size = size;
}

/* The sections with bytes in the file, by their place in it; equal places keep the table's order. */
static unsigned int sort_by_place(const struct pe *pe, const struct pe_section **ret)
{
	unsigned int count = 0, at;

	for (unsigned int i = 0; i < pe->section_count; i++) {
		const struct pe_section *s = &pe->sections[i];

		if (s->raw_size == 0)
			continue;
		for (at = count; at > 0 && s->raw_offset < ret[at - 1]->raw_offset; at--)
			ret[at] = ret[at - 1];
		ret[at] = s;
		count++;
	}
	return count;
}

static struct iovec piece(const struct pe *pe, uint64_t offset, uint64_t size)
{
	return (struct iovec){ .iov_base = (void *)(pe->data + offset), .iov_len = size };
}

static size_t header_pieces(const struct pe *pe, struct iovec *ret)
{
	uint32_t at = pe->checksum_offset;
	size_t count = 0;

	ret[count++] = piece(pe, 0, at);
	at += 4;
	if (pe->security_entry_offset) {
		ret[count++] = piece(pe, at, pe->security_entry_offset - at);
		at = pe->security_entry_offset + DIRECTORY_SIZE;
	}
	ret[count++] = piece(pe, at, pe->size_of_headers - at);
	return count;
}

/*
 * As EDK2's measured boot does it, which is not quite what the Authenticode paper says: whole
 * SizeOfRawData of each section, and what follows them is sought at the sum of the sizes hashed so
 * far, even where a gap or an overlap puts the sections' true end elsewhere. Padding to 8 bytes is
 * signing tools' business: they append it to the file before they hash.
 */
int pe_authenticode_pieces(const struct pe *pe, struct iovec ret[static PE_AUTHENTICODE_PIECES],
			   size_t *ret_count, struct error *err)
{
	const struct pe_section *sorted[PE_SECTIONS_MAX];
	unsigned int sections = sort_by_place(pe, sorted);
	uint64_t sum = pe->size_of_headers;
	/* parse_sections() has put the table inside SizeOfHeaders, so the fields left out are too. */
	size_t count = header_pieces(pe, ret);

	for (unsigned int i = 0; i < sections; i++) {
		ret[count++] = piece(pe, sorted[i]->raw_offset, sorted[i]->raw_size);
		sum += sorted[i]->raw_size;
	}
	if (pe->size > sum) {
		if (pe->size - sum < pe->security_size)
			return error_input(err, "PE certificate table of 0x%x bytes overlaps the sections, which end at 0x%llx",
					   pe->security_size, (unsigned long long)sum);
		ret[count++] = piece(pe, sum, pe->size - pe->security_size - sum);
	}
	*ret_count = count;
	return 0;
}

int pe_authenticode(const struct pe *pe, enum digest_alg alg, struct digest *ret, struct error *err)
{
	CLEANUP_DIGESTER struct digester *d = digester_new(alg);
	struct iovec pieces[PE_AUTHENTICODE_PIECES];
	size_t count = 0;
	int r = pe_authenticode_pieces(pe, pieces, &count, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		digester_add(d, pieces[i].iov_base, pieces[i].iov_len);
	digester_final(d, ret);
	return 0;
}
