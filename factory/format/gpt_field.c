/* SPDX-License-Identifier: Apache-2.0 */
#include "gpt_field.h"

#include "gpt.h"

#define ENTRIES ((size_t)2 * GPT_SECTOR)
#define ENTRY_SIZE 128

struct row {
	size_t end;			/* relative to the header or entry */
	const char *name;
	enum gpt_field_kind kind;
};

/* UEFI Specification, table "GPT Header". */
static const struct row header[] = {
	{ 8, "signature", GPT_FIELD_VALUE },
	{ 12, "revision", GPT_FIELD_VALUE },
	{ 16, "header size", GPT_FIELD_VALUE },
	{ 20, "header checksum", GPT_FIELD_CHECKSUM },
	{ 24, "reserved field", GPT_FIELD_VALUE },
	{ 32, "own sector", GPT_FIELD_PLACE },
	{ 40, "backup's sector", GPT_FIELD_PLACE },
	{ 48, "first usable sector", GPT_FIELD_PLACE },
	{ 56, "last usable sector", GPT_FIELD_PLACE },
	{ 72, "disk id", GPT_FIELD_VALUE },
	{ 80, "sector of the entries", GPT_FIELD_PLACE },
	{ 84, "number of entries", GPT_FIELD_VALUE },
	{ 88, "size of an entry", GPT_FIELD_VALUE },
	{ 92, "checksum of the entries", GPT_FIELD_CHECKSUM },
	{ GPT_SECTOR, "reserved rest of the header's sector", GPT_FIELD_VALUE },
};

/* Likewise, "GPT Partition Entry". */
static const struct row entry[] = {
	{ 16, "type", GPT_FIELD_VALUE },
	{ 32, "id", GPT_FIELD_ID },
	{ 40, "first sector", GPT_FIELD_PLACE },
	{ 48, "last sector", GPT_FIELD_PLACE },
	{ 56, "attributes", GPT_FIELD_VALUE },
	{ ENTRY_SIZE, "name", GPT_FIELD_VALUE },
};

/* "Protective MBR". */
static const struct row mbr[] = {
	{ 446, "boot code of the protective MBR", GPT_FIELD_VALUE },
	{ 458, "protective partition of the MBR", GPT_FIELD_VALUE },
	{ 462, "size in the protective MBR", GPT_FIELD_PLACE },
	{ GPT_SECTOR, "rest of the protective MBR", GPT_FIELD_VALUE },
};

/* The last row ends where the region does. */
static void find(const struct row *rows, size_t base, size_t offset, unsigned int partition,
		 struct gpt_field *ret)
{
	size_t start = 0;

	for (; rows->end <= offset - base; rows++)
		start = rows->end;
	*ret = (struct gpt_field){
		.name = rows->name,
		.kind = rows->kind,
		.partition = partition,
		.offset = base + start,
		.size = rows->end - start,
	};
}

void gpt_field_at(size_t offset, struct gpt_field *ret)
{
	size_t index;

	if (offset < GPT_SECTOR) {
		find(mbr, 0, offset, 0, ret);
	} else if (offset < ENTRIES) {
		find(header, GPT_SECTOR, offset, 0, ret);
	} else {
		index = (offset - ENTRIES) / ENTRY_SIZE;
		find(entry, ENTRIES + index * ENTRY_SIZE, offset, (unsigned int)index + 1, ret);
	}
}
