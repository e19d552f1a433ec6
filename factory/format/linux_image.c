/* SPDX-License-Identifier: Apache-2.0 */
#include "linux_image.h"

#include <string.h>

#include "../base/bytes.h"
#include "../base/cleanup.h"

/* ---------------------------------------------------------------- bzImage */

#define SETUP_SECTS 0x1f1
#define HEADER 0x202			/* "HdrS" */
#define VERSION 0x206
#define PAYLOAD_OFFSET 0x248
#define PAYLOAD_LENGTH 0x24c
#define HEADER_END 0x250
#define SECTOR 512
#define FIRST_WITH_PAYLOAD 0x208

/* Behind what gzip knows of its own the kernel's makefiles put four bytes more, the length when unpacked. */
#define APPENDED 4

static const struct {
	const char *suffix;
	uint8_t magic[4];
	size_t appended;
} compressions[] = {
	{ ".zst", { 0x28, 0xb5, 0x2f, 0xfd }, APPENDED },
	{ ".xz", { 0xfd, '7', 'z', 'X' }, APPENDED },
	{ ".gz", { 0x1f, 0x8b, 0x08, 0x00 }, 0 },
};

static bool take_payload(const uint8_t *data, size_t offset, size_t size, struct linux_payload *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(compressions); i++) {
		const size_t appended = compressions[i].appended;

		if (size < sizeof(compressions[i].magic) + appended ||
		    memcmp(data + offset, compressions[i].magic, sizeof(compressions[i].magic)) != 0)
			continue;
		*ret = (struct linux_payload) { compressions[i].suffix, offset, size - appended };
		return true;
	}
	return false;
}

bool linux_image_payload(const uint8_t *data, size_t size, struct linux_payload *ret)
{
	uint64_t start, length;

	if (size < HEADER_END || memcmp(data + HEADER, "HdrS", 4) != 0 ||
	    read_le16(data + VERSION) < FIRST_WITH_PAYLOAD)
		return false;
	/* Zero stands for four sectors, of old. */
	start = (uint64_t)((data[SETUP_SECTS] ? data[SETUP_SECTS] : 4) + 1) * SECTOR +
		read_le32(data + PAYLOAD_OFFSET);
	length = read_le32(data + PAYLOAD_LENGTH);
	return range_fits(start, length, size) && take_payload(data, (size_t)start, (size_t)length, ret);
}

/* ---------------------------------------------------------------- ELF */

#define ELF_HEADER 64
#define E_MACHINE 18
#define E_PHOFF 32
#define E_PHENTSIZE 54
#define E_PHNUM 56
#define EM_X86_64 62

#define PROGRAM_HEADER 56
#define P_OFFSET 8
#define P_FILESZ 32
#define PT_NOTE 4

#define NOTE_HEADER 12
#define PHYS32_ENTRY 18

static uint64_t padded(uint32_t size)
{
	return ((uint64_t)size + 3) & ~UINT64_C(3);
}

static bool notes_have_entry(const uint8_t *notes, uint64_t size)
{
	uint64_t offset = 0;

	while (range_fits(offset, NOTE_HEADER, size)) {
		const uint8_t *note = notes + offset;
		const uint32_t name_size = read_le32(note);
		const uint64_t whole = NOTE_HEADER + padded(name_size) + padded(read_le32(note + 4));

		if (!range_fits(offset, whole, size))
			return false;
		if (name_size == sizeof("Xen") && memcmp(note + NOTE_HEADER, "Xen", sizeof("Xen")) == 0 &&
		    read_le32(note + 8) == PHYS32_ENTRY)
			return true;
		offset += whole;
	}
	return false;
}

bool linux_image_starts_by_pvh(const uint8_t *data, size_t size)
{
	static const uint8_t ident[] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };	/* 64 bits, little-endian */
	uint64_t headers;
	uint16_t count;

	if (size < ELF_HEADER || memcmp(data, ident, sizeof(ident)) != 0 || read_le16(data + E_MACHINE) != EM_X86_64 ||
	    read_le16(data + E_PHENTSIZE) != PROGRAM_HEADER)
		return false;
	headers = read_le64(data + E_PHOFF);
	count = read_le16(data + E_PHNUM);
	if (!range_fits(headers, (uint64_t)count * PROGRAM_HEADER, size))
		return false;
	for (uint16_t i = 0; i < count; i++) {
		const uint8_t *header = data + headers + (uint64_t)i * PROGRAM_HEADER;
		const uint64_t offset = read_le64(header + P_OFFSET), length = read_le64(header + P_FILESZ);

		if (read_le32(header) == PT_NOTE && range_fits(offset, length, size) &&
		    notes_have_entry(data + offset, length))
			return true;
	}
	return false;
}
