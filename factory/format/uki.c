/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/bytes.h"
#include "../base/cleanup.h"
#include "../base/error.h"
#include "uki.h"

/* Offsets in the COFF file header, from "PE\0\0", and in the optional header. */
#define COFF_SECTION_COUNT 6
#define COFF_SYMBOL_TABLE 12
#define COFF_SYMBOL_COUNT 16
#define COFF_CHARACTERISTICS 22
#define OPT_SIZE_OF_CODE 4
#define OPT_SIZE_OF_INITIALIZED_DATA 8
#define OPT_SIZE_OF_IMAGE 56

#define SECTION_HEADER_SIZE 40
#define SYMBOL_SIZE 18
#define LOCAL_SYMS_STRIPPED 0x0008
#define SCN_CNT_CODE 0x00000020u
#define SCN_CNT_INITIALIZED_DATA 0x00000040u
#define SCN_MEM_READ 0x40000000u

#define FILE_ALIGNMENT_MIN 512
#define FILE_ALIGNMENT_MAX 65536

/* Versions: the stub's own tables in 252.39, 254.26 and 257.13, and systemd's NEWS for 256. */
const struct uki_section_rule uki_section_rules[UKI_SECTIONS] = {
	[UKI_LINUX] = { ".linux", true, 252 },
	[UKI_OSREL] = { ".osrel", true, 252 },
	[UKI_CMDLINE] = { ".cmdline", true, 252 },
	[UKI_INITRD] = { ".initrd", true, 252 },
	[UKI_UCODE] = { ".ucode", true, 256 },
	[UKI_SPLASH] = { ".splash", true, 252 },
	[UKI_DTB] = { ".dtb", true, 252 },
	[UKI_UNAME] = { ".uname", true, 254 },
	[UKI_SBAT] = { ".sbat", true, 254 },
	[UKI_PCRSIG] = { ".pcrsig", false, 252 },
	[UKI_PCRPKEY] = { ".pcrpkey", true, 252 },
	[UKI_PROFILE] = { ".profile", true, 257 },
	[UKI_DTBAUTO] = { ".dtbauto", true, 257 },
	[UKI_HWIDS] = { ".hwids", true, 257 },
};

struct layout {
	size_t kept;			/* bytes of the stub that stay */
	size_t size;			/* of the result */
	unsigned int count;		/* sections added */
	uint32_t size_of_image;
	uint32_t code_size, data_size;	/* added to the header's sums */
	struct pe_section sections[UKI_SECTIONS];	/* raw_size 0: absent */
};

static bool power_of_two(uint32_t v)
{
	return v != 0 && (v & (v - 1)) == 0;
}

/*
 * The stub without the COFF symbol table at its end: stubs were linked with one up to 252, it has no
 * meaning in an image, and new sections would have to leave it in a gap between theirs.
 */
static int keep_stub(const struct pe *stub, size_t *ret, struct error *err)
{
	uint32_t at = read_le32(stub->data + stub->header_offset + COFF_SYMBOL_TABLE);
	uint32_t count = read_le32(stub->data + stub->header_offset + COFF_SYMBOL_COUNT);
	uint64_t strings = at + (uint64_t)count * SYMBOL_SIZE;

	if (at == 0) {
		*ret = stub->size;
		return 0;
	}
	if (!range_fits(strings, 4, stub->size) ||
	    strings + read_le32(stub->data + strings) != stub->size)
		return error_input(err, "the stub's symbol table at offset 0x%x does not end with the file",
				   at);
	*ret = at;
	return 0;
}

/*
 * EDK2 looks for the bytes after the last section at the sum of all sizes, signing tools at the last
 * section's end. An image without gaps means the same to both, so the stub must be one already.
 */
static int check_gapless(const struct pe *stub, size_t kept, struct error *err)
{
	uint64_t sum = stub->size_of_headers, end = sum;

	for (unsigned int i = 0; i < stub->section_count; i++) {
		const struct pe_section *s = &stub->sections[i];
		uint64_t section_end = (uint64_t)s->raw_offset + s->raw_size;

		sum += s->raw_size;
		if (s->raw_size > 0 && section_end > end)
			end = section_end;
	}
	if (sum != kept || end != kept)
		return error_input(err, "the stub has gaps or bytes that belong to no section: its sections take %llu bytes up to offset 0x%llx, the file has %zu",
				   (unsigned long long)sum, (unsigned long long)end, kept);
	if (kept % stub->file_alignment != 0)
		return error_input(err, "the stub's last section ends at offset 0x%zx, no multiple of FileAlignment %u",
				   kept, stub->file_alignment);
	return 0;
}

static int check_stub(const struct pe *stub, struct error *err)
{
	if (!stub->plus)
		return error_input(err, "the stub is a 32-bit PE image");
	if (stub->security_size > 0)
		return error_input(err, "the stub is signed; a UKI wants the unsigned one");
	if (!power_of_two(stub->file_alignment) || !power_of_two(stub->section_alignment) ||
	    stub->file_alignment < FILE_ALIGNMENT_MIN || stub->file_alignment > FILE_ALIGNMENT_MAX ||
	    stub->section_alignment < stub->file_alignment)
		return error_input(err, "the stub's SectionAlignment %u and FileAlignment %u are none that a PE image may have",
				   stub->section_alignment, stub->file_alignment);
	return 0;
}

static int check_parts(const struct pe *stub, const struct uki_part *parts, struct error *err)
{
	if (!parts[UKI_LINUX].data)
		return error_input(err, "a UKI needs a kernel, and there is no .linux part");
	for (int i = 0; i < UKI_SECTIONS; i++) {
		const char *name = uki_section_rules[i].name;

		if (!parts[i].data)
			continue;
		/* VirtualSize 0 is what the stub takes for "not there". */
		if (parts[i].size == 0)
			return error_input(err, "the UKI's %s part is empty", name);
		if (pe_find(stub, name))
			return error_input(err, "the stub already has a section %s", name);
	}
	return 0;
}

static int check_room(const struct pe *stub, unsigned int added, struct error *err)
{
	uint32_t end = stub->section_table_offset + stub->section_count * SECTION_HEADER_SIZE;
	uint32_t size = added * SECTION_HEADER_SIZE;

	if (stub->section_count + added > PE_SECTIONS_MAX || !range_fits(end, size, stub->size_of_headers))
		return error_input(err, "the stub's headers end at offset 0x%x: no room for %u more section headers at 0x%x",
				   stub->size_of_headers, added, end);
	for (uint32_t i = 0; i < size; i++)
		if (stub->data[end + i] != 0)
			return error_input(err, "the stub uses the byte at offset 0x%x, where a section header has to go",
					   end + i);
	return 0;
}

static uint64_t memory_end(const struct pe *stub)
{
	uint64_t end = stub->size_of_headers;

	for (unsigned int i = 0; i < stub->section_count; i++) {
		const struct pe_section *s = &stub->sections[i];
		/* A VirtualSize of 0 makes loaders take SizeOfRawData. */
		uint32_t size = s->virtual_size ? s->virtual_size : s->raw_size;
		uint64_t section_end = (uint64_t)s->virtual_address + size;

		if (section_end > end)
			end = section_end;
	}
	return end;
}

static void place(const struct pe *stub, int section, size_t size, uint64_t raw_offset,
		  uint64_t address, uint64_t raw_size, struct layout *l)
{
	struct pe_section *s = &l->sections[section];
	bool code = section == UKI_LINUX;

	snprintf(s->name, sizeof(s->name), "%s", uki_section_rules[section].name);
	s->virtual_size = (uint32_t)size;
	s->virtual_address = (uint32_t)address;
	s->raw_offset = (uint32_t)raw_offset;
	s->raw_size = (uint32_t)raw_size;
	/* Code, because kernels before 5.8 are run where they lie (EFI handover). */
	s->characteristics = SCN_MEM_READ | (code ? SCN_CNT_CODE : SCN_CNT_INITIALIZED_DATA);
	s->header_offset = stub->section_table_offset +
			   (stub->section_count + l->count) * SECTION_HEADER_SIZE;
	l->count++;
	if (code)
		l->code_size += s->raw_size;
	else
		l->data_size += s->raw_size;
}

static int place_parts(const struct pe *stub, const struct uki_part *parts, struct layout *l,
		       struct error *err)
{
	uint64_t raw_end = l->kept, end = memory_end(stub), address, raw_size;

	for (int i = 0; i < UKI_SECTIONS; i++) {
		if (!parts[i].data)
			continue;
		if (!align_up(end, stub->section_alignment, &address) ||
		    !align_up(parts[i].size, stub->file_alignment, &raw_size) ||
		    !range_fits(address, parts[i].size, UINT32_MAX) ||
		    !range_fits(raw_end, raw_size, UINT32_MAX))
			return error_input(err, "the UKI would pass 4 GiB with its %s part of %zu bytes",
					   uki_section_rules[i].name, parts[i].size);
		place(stub, i, parts[i].size, raw_end, address, raw_size, l);
		raw_end += raw_size;
		end = address + parts[i].size;
	}
	if (!align_up(end, stub->section_alignment, &address) || address > UINT32_MAX)
		return error_input(err, "the UKI would pass 4 GiB in memory");
	l->size_of_image = (uint32_t)address;
	/* FileAlignment is a multiple of the 8 bytes that signing tools pad to. */
	l->size = raw_end;
	return 0;
}

static void add_le32(uint8_t *p, uint32_t v)
{
	write_le32(p, read_le32(p) + v);
}

static void write_headers(const struct pe *stub, const struct layout *l, uint8_t *image)
{
	uint8_t *coff = image + stub->header_offset;
	uint8_t *optional = image + stub->optional_offset;

	write_le16(coff + COFF_SECTION_COUNT, (uint16_t)(stub->section_count + l->count));
	if (l->kept != stub->size) {
		write_le32(coff + COFF_SYMBOL_TABLE, 0);
		write_le32(coff + COFF_SYMBOL_COUNT, 0);
		write_le16(coff + COFF_CHARACTERISTICS,
			   read_le16(coff + COFF_CHARACTERISTICS) | LOCAL_SYMS_STRIPPED);
	}
	add_le32(optional + OPT_SIZE_OF_CODE, l->code_size);
	add_le32(optional + OPT_SIZE_OF_INITIALIZED_DATA, l->data_size);
	write_le32(optional + OPT_SIZE_OF_IMAGE, l->size_of_image);
	write_le32(image + stub->checksum_offset, 0);
}

static void write_section(const struct pe_section *s, const struct uki_part *part, uint8_t *image)
{
	uint8_t *header = image + s->header_offset;

	memcpy(header, s->name, strlen(s->name));
	write_le32(header + 8, s->virtual_size);
	write_le32(header + 12, s->virtual_address);
	write_le32(header + 16, s->raw_size);
	write_le32(header + 20, s->raw_offset);
	write_le32(header + 36, s->characteristics);
	memcpy(image + s->raw_offset, part->data, part->size);
}

static int lay_out(const struct pe *stub, const struct uki_part *parts, struct layout *l,
		   struct error *err)
{
	int r;

	r = check_stub(stub, err);
	if (r == 0)
		r = keep_stub(stub, &l->kept, err);
	if (r == 0)
		r = check_gapless(stub, l->kept, err);
	if (r == 0)
		r = check_parts(stub, parts, err);
	if (r == 0)
		r = place_parts(stub, parts, l, err);
	if (r == 0)
		r = check_room(stub, l->count, err);
	return r;
}

int uki_write(const uint8_t *stub, size_t stub_size, const struct uki_part parts[static UKI_SECTIONS],
	      struct buf *ret, struct error *err)
{
	struct layout l = { .kept = 0 };
	size_t start = ret->len;
	struct pe pe;
	uint8_t *image;
	int r;

	r = pe_parse(stub, stub_size, &pe, err);
	if (r < 0)
		return error_wrap(err, "UKI stub");
	r = lay_out(&pe, parts, &l, err);
	if (r < 0)
		return r;
	r = buf_fill(ret, 0, l.size);
	if (r < 0)
		return error_system(err, r, "no room for a UKI of %zu bytes", l.size);
	image = ret->data + start;
	memcpy(image, stub, l.kept);
	write_headers(&pe, &l, image);
	for (int i = 0; i < UKI_SECTIONS; i++)
		if (parts[i].data)
			write_section(&l.sections[i], &parts[i], image);
	return 0;
}

static bool contains(const uint8_t *data, size_t size, const char *text)
{
	return memmem(data, size, text, strlen(text)) != NULL;
}

/* Amazon Linux 2023 strips .sdmagic from its stub, which is 252. */
static bool from_amazon_linux_2023(const struct pe *pe)
{
	const struct pe_section *s = pe_find(pe, ".osrel");
	const uint8_t *data;
	size_t size;

	if (!s)
		return false;
	pe_section_bytes(pe, s, &data, &size);
	return contains(data, size, "NAME=\"Amazon Linux\"") && contains(data, size, "VERSION=\"2023\"");
}

static int parse_magic(const uint8_t *data, size_t size, unsigned int *ret)
{
	static const char before[] = "#### LoaderInfo: systemd-stub ";
	const size_t skip = sizeof(before) - 1;
	unsigned int version = 0;
	size_t digits = 0;

	if (size <= skip || memcmp(data, before, skip) != 0 || !contains(data, size, " ####"))
		return -1;
	while (skip + digits < size && digits < 5 && data[skip + digits] >= '0' &&
	       data[skip + digits] <= '9')
		version = 10 * version + (data[skip + digits++] - '0');
	if (digits == 0 || digits == 5)
		return -1;
	*ret = version;
	return 0;
}

int uki_stub_version(const struct pe *pe, unsigned int *ret, struct error *err)
{
	const struct pe_section *s = pe_find(pe, ".sdmagic");
	const uint8_t *data;
	size_t size;

	if (!s) {
		if (!from_amazon_linux_2023(pe))
			return error_input(err, "cannot tell the version of the UKI's systemd-stub: it has no section .sdmagic");
		*ret = 252;
		return 0;
	}
	pe_section_bytes(pe, s, &data, &size);
	if (parse_magic(data, size, ret) < 0)
		return error_input(err, "cannot tell the version of the UKI's systemd-stub: section .sdmagic at offset 0x%x does not name it",
				   s->raw_offset);
	return 0;
}
