/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KILN_BASE_HEX_H
#define KILN_BASE_HEX_H

#include <stddef.h>
#include <stdint.h>

/* Lower-case hex of `size` bytes into `ret` (2 * size + 1 bytes, NUL-terminated). */
void hex_encode(const uint8_t *data, size_t size, char *ret);
/* Exactly `size` bytes from exactly 2 * size hex digits of either case; -EINVAL otherwise. */
int hex_decode(const char *text, uint8_t *ret, size_t size);

#define GUID_TEXT_SIZE 37

/*
 * GUIDs (UEFI Specification, Appendix A): 16 bytes with the first three fields little-endian;
 * text in the usual 8-4-4-4-12 form, lower case when written.
 */
void guid_format(const uint8_t guid[static 16], char ret[static GUID_TEXT_SIZE]);
int guid_parse(const char *text, uint8_t ret[static 16]);
/* A UUID in text order (RFC 9562) as the GUID of the same text. */
static inline void guid_from_uuid(const uint8_t uuid[static 16], uint8_t ret[static 16])
{
	static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

	for (int i = 0; i < 16; i++)
		ret[i] = uuid[order[i]];
}

#endif
