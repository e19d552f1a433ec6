/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "factory/base/buf.h"
#include "factory/base/bytes.h"
#include "factory/base/error.h"
#include "factory/format/uki.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Input: a bit for each part, the stub's size, the stub, and the parts in equal shares of the rest. */
#define HEAD_SIZE 4

static void split(const uint8_t *data, size_t size, uint16_t mask, struct uki_part *parts)
{
	unsigned int count = (unsigned int)__builtin_popcount(mask & ((1u << UKI_SECTIONS) - 1));
	size_t share = count ? size / count : 0;

	for (int i = 0; i < UKI_SECTIONS; i++) {
		if (!(mask & 1u << i))
			continue;
		parts[i] = (struct uki_part){ data, share };
		data += share;
	}
}

static void check_part(const struct pe *pe, int section, const struct uki_part *part)
{
	const struct pe_section *s = pe_find(pe, uki_section_rules[section].name);
	const uint8_t *bytes;
	size_t size;

	if (!s || s->virtual_size != part->size)
		abort();
	pe_section_bytes(pe, s, &bytes, &size);
	if (size != part->size || memcmp(bytes, part->data, size) != 0)
		abort();
	if (s->virtual_address + (uint64_t)s->virtual_size > pe->size_of_image)
		abort();
}

static void check_image(const struct buf *uki, const struct uki_part *parts)
{
	struct error err = ERROR_INIT;
	uint64_t sum;
	struct pe pe;

	if (pe_parse(uki->data, uki->len, &pe, &err) < 0 || uki->len % 8 != 0)
		abort();
	sum = pe.size_of_headers;
	for (unsigned int i = 0; i < pe.section_count; i++)
		sum += pe.sections[i].raw_size;
	if (sum != uki->len || read_le32(uki->data + pe.checksum_offset) != 0)
		abort();
	for (int i = 0; i < UKI_SECTIONS; i++)
		if (parts[i].data)
			check_part(&pe, i, &parts[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct uki_part parts[UKI_SECTIONS] = { 0 };
	CLEANUP_BUF struct buf uki = BUF_INIT(1 << 22);
	struct error err = ERROR_INIT;
	size_t stub_size;

	if (size < HEAD_SIZE)
		return 0;
	stub_size = read_le16(data + 2);
	if (stub_size > size - HEAD_SIZE)
		stub_size = size - HEAD_SIZE;
	split(data + HEAD_SIZE + stub_size, size - HEAD_SIZE - stub_size, read_le16(data), parts);
	if (uki_write(data + HEAD_SIZE, stub_size, parts, &uki, &err) == 0)
		check_image(&uki, parts);
	else if (uki.len > 0 || err.kind == ERROR_NONE)
		abort();
	return 0;
}
