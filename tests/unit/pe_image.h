/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_TESTS_UNIT_PE_IMAGE_H
#define KILN_TESTS_UNIT_PE_IMAGE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "factory/base/buf.h"
#include "factory/base/bytes.h"

/*
 * Small valid PE images for tests, laid out by hand: DOS header, "PE\0\0" at 0x40, PE32+ optional header
 * with 16 directories at 0x58, section table at 0x148, headers of 0x400 bytes, sections behind each other.
 */
#define IMAGE_PE 0x40u
#define IMAGE_OPTIONAL 0x58u
#define IMAGE_CHECKSUM (IMAGE_OPTIONAL + 64)
#define IMAGE_SECURITY (IMAGE_OPTIONAL + 112 + 32)
#define IMAGE_TABLE 0x148u
#define IMAGE_HEADERS 0x400u
#define IMAGE_FILE_ALIGNMENT 0x200u
#define IMAGE_SECTION_ALIGNMENT 0x1000u

struct image_section {
	const char *name;
	const void *data;
	uint32_t size;
};

static inline uint32_t image_round(uint32_t v, uint32_t alignment)
{
	return (v + alignment - 1) / alignment * alignment;
}

static inline void image_headers(struct buf *b, uint16_t sections)
{
	if (buf_fill(b, 0, IMAGE_HEADERS) < 0)
		abort();
	memcpy(b->data, "MZ", 2);
	write_le32(b->data + 0x3c, IMAGE_PE);
	memcpy(b->data + IMAGE_PE, "PE\0\0", 4);
	write_le16(b->data + IMAGE_PE + 4, 0x8664);
	write_le16(b->data + IMAGE_PE + 6, sections);
	write_le16(b->data + IMAGE_PE + 20, 112 + 16 * 8);
	write_le16(b->data + IMAGE_PE + 22, 0x0206);
	write_le16(b->data + IMAGE_OPTIONAL, 0x20b);
	write_le32(b->data + IMAGE_OPTIONAL + 32, IMAGE_SECTION_ALIGNMENT);
	write_le32(b->data + IMAGE_OPTIONAL + 36, IMAGE_FILE_ALIGNMENT);
	write_le16(b->data + IMAGE_OPTIONAL + 44, 3);	/* MajorImageVersion: a kernel of today */
	write_le32(b->data + IMAGE_OPTIONAL + 60, IMAGE_HEADERS);
	write_le32(b->data + IMAGE_CHECKSUM, 0x12345678);
	write_le16(b->data + IMAGE_OPTIONAL + 68, 10);	/* EFI application */
	write_le32(b->data + IMAGE_OPTIONAL + 108, 16);
}

/* Appends the image to an empty `b`. */
static inline void image_build(struct buf *b, const struct image_section *sections, uint16_t count)
{
	uint32_t address = IMAGE_SECTION_ALIGNMENT;

	image_headers(b, count);
	for (uint16_t i = 0; i < count; i++) {
		const struct image_section *s = &sections[i];
		uint32_t raw_size = image_round(s->size, IMAGE_FILE_ALIGNMENT);
		uint8_t *header = b->data + IMAGE_TABLE + 40 * i;

		memcpy(header, s->name, strnlen(s->name, 8));
		write_le32(header + 8, s->size);
		write_le32(header + 12, address);
		write_le32(header + 16, raw_size);
		write_le32(header + 20, (uint32_t)b->len);
		write_le32(header + 36, 0x40000040);
		address = image_round(address + s->size, IMAGE_SECTION_ALIGNMENT);
		if (buf_add(b, s->data, s->size) < 0 || buf_align(b, IMAGE_FILE_ALIGNMENT) < 0)
			abort();
	}
	write_le32(b->data + IMAGE_OPTIONAL + 56, address);
}

/* Appends a certificate table of one PKCS#7 blob and enters it in the header. */
static inline void image_sign(struct buf *b, const void *blob, uint32_t size)
{
	uint32_t at = (uint32_t)b->len;

	if (at % 8 != 0 || buf_add_le32(b, size + 8) < 0 || buf_add_le16(b, 0x0200) < 0 ||
	    buf_add_le16(b, 0x0002) < 0 || buf_add(b, blob, size) < 0 || buf_align(b, 8) < 0)
		abort();
	write_le32(b->data + IMAGE_SECURITY, at);
	write_le32(b->data + IMAGE_SECURITY + 4, (uint32_t)b->len - at);
}

#define IMAGE_MAGIC(version) "#### LoaderInfo: systemd-stub " version " ####"

/* A stub like Debian's, as far as bytes go; `magic` as IMAGE_MAGIC(), its NUL included. */
static inline void image_stub(struct buf *b, const char *magic)
{
	static const char text[] = "\x31\xc0\xc3 entry code", sbat[] = "sbat,1,SBAT Version,sbat,1\n";
	const struct image_section sections[] = {
		{ ".text", text, sizeof(text) },
		{ ".sbat", sbat, sizeof(sbat) },
		{ ".sdmagic", magic, (uint32_t)strlen(magic) + 1 },
	};

	image_build(b, sections, 3);
}

static inline void image_kernel(struct buf *b)
{
	static const char text[700] = "kernel code";
	const struct image_section section = { ".text", text, sizeof(text) };

	image_build(b, &section, 1);
}

#endif
