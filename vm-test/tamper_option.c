/* SPDX-License-Identifier: Apache-2.0 */
#include "tamper_option.h"

#include <errno.h>
#include <string.h>

#include "../factory/base/bytes.h"
#include "../factory/format/gpt.h"

#define OPTION_ACTIVE 1u

/* UEFI Specification 10.3.5: media device paths. */
#define MEDIA 4
#define MEDIA_HARD_DRIVE 1
#define MEDIA_FILE 4
#define HARD_DRIVE_SIZE 42

static int add_utf16(struct buf *ret, const char *text)
{
	int r = 0;

	for (size_t i = 0; i <= strlen(text) && r == 0; i++)
		r = buf_add_le16(ret, (uint8_t)text[i]);
	return r;
}

/* The short form of a partition's path: firmware finds the disk by itself. */
static void write_hard_drive(const struct gpt_partition *p, uint8_t ret[static HARD_DRIVE_SIZE])
{
	memset(ret, 0, HARD_DRIVE_SIZE);
	ret[0] = MEDIA;
	ret[1] = MEDIA_HARD_DRIVE;
	write_le16(ret + 2, HARD_DRIVE_SIZE);
	write_le32(ret + 4, p->number);
	write_le64(ret + 8, p->offset / GPT_SECTOR);
	write_le64(ret + 16, p->size / GPT_SECTOR);
	memcpy(ret + 24, p->id, 16);
	ret[40] = 2;	/* GPT */
	ret[41] = 2;	/* a GUID */
}

int tamper_load_option(const struct gpt_partition *p, const char *path, const char *options, struct buf *ret)
{
	static const uint8_t end[] = { 0x7f, 0xff, 4, 0 };
	const size_t file = 4 + 2 * (strlen(path) + 1);
	const uint8_t file_head[] = { MEDIA, MEDIA_FILE, (uint8_t)file, (uint8_t)(file >> 8) };
	uint8_t drive[HARD_DRIVE_SIZE];
	int r = buf_add_le32(ret, OPTION_ACTIVE);

	write_hard_drive(p, drive);
	if (r == 0)
		r = buf_add_le16(ret, (uint16_t)(sizeof(drive) + file + sizeof(end)));
	if (r == 0)
		r = add_utf16(ret, "Linux");
	if (r == 0)
		r = buf_add(ret, drive, sizeof(drive));
	if (r == 0)
		r = buf_add(ret, file_head, sizeof(file_head));
	if (r == 0)
		r = add_utf16(ret, path);
	if (r == 0)
		r = buf_add(ret, end, sizeof(end));
	return r < 0 ? r : add_utf16(ret, options);
}

/* ---------------------------------------------------------------- add-ons */

/* One header page, one page of code that nobody runs, one section. */
#define PE_OFFSET 64
#define OPTIONAL (PE_OFFSET + 24)
#define OPTIONAL_SIZE 240
#define SECTIONS (OPTIONAL + OPTIONAL_SIZE)
#define HEADERS 512
#define ALIGNMENT 4096

static void write_section(uint8_t *at, const char *name, uint32_t virtual_size, uint32_t address, uint32_t raw_size,
			  uint32_t offset, uint32_t characteristics)
{
	memcpy(at, name, strlen(name));
	write_le32(at + 8, virtual_size);
	write_le32(at + 12, address);
	write_le32(at + 16, raw_size);
	write_le32(at + 20, offset);
	write_le32(at + 36, characteristics);
}

int tamper_addon(const char *cmdline, struct buf *ret)
{
	uint8_t image[HEADERS + 512 + 512] = { 'M', 'Z' };
	const size_t size = strlen(cmdline) + 1;

	if (size > 512)
		return -EINVAL;
	write_le32(image + 60, PE_OFFSET);
	memcpy(image + PE_OFFSET, "PE\0\0", 4);
	write_le16(image + PE_OFFSET + 4, 0x8664);
	write_le16(image + PE_OFFSET + 6, 2);			/* sections */
	write_le16(image + PE_OFFSET + 20, OPTIONAL_SIZE);
	write_le16(image + PE_OFFSET + 22, 0x22);		/* executable, large addresses */
	write_le16(image + OPTIONAL, 0x20b);			/* PE32+ */
	write_le32(image + OPTIONAL + 4, 512);			/* of code */
	write_le32(image + OPTIONAL + 8, 512);			/* of data */
	write_le32(image + OPTIONAL + 16, ALIGNMENT);		/* entry point */
	write_le32(image + OPTIONAL + 20, ALIGNMENT);		/* base of code */
	write_le32(image + OPTIONAL + 32, ALIGNMENT);
	write_le32(image + OPTIONAL + 36, 512);
	write_le32(image + OPTIONAL + 56, 3 * ALIGNMENT);	/* of the image */
	write_le32(image + OPTIONAL + 60, HEADERS);
	write_le16(image + OPTIONAL + 68, 10);			/* EFI application */
	write_le32(image + OPTIONAL + 108, 16);			/* data directories */
	write_section(image + SECTIONS, ".text", 1, ALIGNMENT, 512, HEADERS, 0x60000020);
	write_section(image + SECTIONS + 40, ".cmdline", (uint32_t)size, 2 * ALIGNMENT, 512, HEADERS + 512, 0x40000040);
	image[HEADERS] = 0xc3;					/* RET */
	memcpy(image + HEADERS + 512, cmdline, size);
	return buf_add(ret, image, sizeof(image));
}
