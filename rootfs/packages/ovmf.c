/* SPDX-License-Identifier: Apache-2.0 */
#include "ovmf.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "../../factory/base/bytes.h"
#include "../../factory/base/error.h"
#include "../../factory/base/io.h"

/*
 * OVMF's drivers lie in a firmware volume that is compressed as a whole. It is the body of a
 * GUID-defined section (UEFI Platform Initialization Specification, volume 3, 2.2.4 and 3.2.5):
 *     u24 size, u8 type, GUID of the compression, u16 offset of the body, u16 attributes
 * which is found by its GUID. Drivers in the unpacked volume are found by theirs.
 */
#define GUID_SIZE 16
#define SECTION_TYPE_GUID_DEFINED 0x02
#define SECTION_HEADER_SIZE 24

/* EE4E5898-3914-4259-9D6E-DC7BD79403CF: an LZMA stream with its 13 bytes of header */
static const uint8_t lzma_section[GUID_SIZE] = {
	0x98, 0x58, 0x4E, 0xEE, 0x14, 0x39, 0x59, 0x42, 0x9D, 0x6E, 0xDC, 0x7B, 0xD7, 0x94, 0x03, 0xCF,
};
/* F0E6A44F-7195-41C3-AC64-54F202CD0A21: SecureBootConfigDxe, built exactly when the variable driver
 * is the one that keeps "SecureBoot" */
static const uint8_t secure_boot_driver[GUID_SIZE] = {
	0x4F, 0xA4, 0xE6, 0xF0, 0x95, 0x71, 0xC3, 0x41, 0xAC, 0x64, 0x54, 0xF2, 0x02, 0xCD, 0x0A, 0x21,
};

struct body {
	const uint8_t *data;
	size_t size;
};

static bool find_body(const struct io_map *file, struct body *ret)
{
	const uint8_t *guid = memmem(file->data, file->size, lzma_section, GUID_SIZE);
	size_t at, size, offset;

	if (!guid || guid - file->data < 4)
		return false;
	at = (size_t)(guid - file->data) - 4;
	if (!range_fits(at, SECTION_HEADER_SIZE, file->size))
		return false;
	size = read_le32(file->data + at) & 0xFFFFFF;
	offset = read_le16(file->data + at + 20);
	if (file->data[at + 3] != SECTION_TYPE_GUID_DEFINED || offset < SECTION_HEADER_SIZE ||
	    offset >= size || !range_fits(at, size, file->size))
		return false;
	*ret = (struct body) { .data = file->data + at + offset, .size = size - offset };
	return true;
}

static void free_archive(struct archive **a)
{
	(void)archive_read_free(*a);
}

/* Through a window, for the volume need not be in memory as a whole; the last bytes of one reading come
 * again before the next, as what is looked for may lie across. */
static int search(struct archive *a, bool *ret)
{
	uint8_t window[GUID_SIZE - 1 + 65536];
	size_t kept = 0;
	ssize_t got;

	*ret = false;
	while ((got = archive_read_data(a, window + kept, sizeof(window) - kept)) > 0) {
		size_t size = kept + (size_t)got;

		if (memmem(window, size, secure_boot_driver, GUID_SIZE)) {
			*ret = true;
			return 0;
		}
		kept = size < GUID_SIZE - 1 ? size : GUID_SIZE - 1;
		memmove(window, window + size - kept, kept);
	}
	return got < 0 ? -1 : 0;
}

static int search_body(const struct body *body, const char *path, bool *ret, struct error *err)
{
	struct archive *a __attribute__((cleanup(free_archive))) = archive_read_new();
	struct archive_entry *entry;

	if (!a)
		error_no_memory();
	(void)archive_read_support_filter_lzma(a);
	(void)archive_read_support_format_raw(a);
	/* What is no LZMA stream libarchive would hand on as it is. */
	if (archive_read_open_memory(a, body->data, body->size) != ARCHIVE_OK ||
	    archive_read_next_header(a, &entry) != ARCHIVE_OK ||
	    archive_filter_code(a, 0) != ARCHIVE_FILTER_LZMA || search(a, ret) < 0)
		return error_input(err, "%s: its firmware volume cannot be unpacked", path);
	return 0;
}

int ovmf_has_secure_boot(const char *path, bool *ret, struct error *err)
{
	CLEANUP_IO_MAP struct io_map file = { .data = NULL };
	struct body body;
	int r = io_map_file(path, &file, err);

	if (r < 0)
		return r;
	if (!find_body(&file, &body))
		return error_input(err, "%s is not a build of OVMF: it holds no compressed firmware volume",
				   path);
	return search_body(&body, path, ret, err);
}
