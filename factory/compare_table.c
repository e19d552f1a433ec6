/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "compare_part.h"
#include "format/gpt_field.h"
#include "model/architecture.h"

static const struct gpt_partition *partition_of(const struct gpt *gpt, unsigned int number)
{
	for (unsigned int i = 0; i < gpt->count; i++)
		if (gpt->partitions[i].number == number)
			return &gpt->partitions[i];
	return NULL;
}

/*
 * The ids of root and verity are the halves of the root hash; where partitions lie, and how long the disk
 * is, comes from the sizes of what is in them.
 */
static bool follows(const struct gpt_field *field, const struct compare_table *table,
		    const struct comparison *found)
{
	const struct gpt_partition *p = partition_of(&table->gpt, field->partition);

	switch (field->kind) {
	case GPT_FIELD_CHECKSUM:
		return true;
	case GPT_FIELD_PLACE:
		return comparison_has(found, COMPARE_ROOT, COMPARE_ESP);
	case GPT_FIELD_ID:
		return comparison_has(found, COMPARE_ROOT, COMPARE_VERITY) && p &&
		       (architecture_of_root(p->type) || architecture_of_verity(p->type));
	case GPT_FIELD_VALUE:
		break;
	}
	return false;
}

static void add(const struct gpt_field *field, bool is_consequence, const struct compare_table *table,
		struct comparison *ret)
{
	const struct gpt_partition *p = partition_of(&table->gpt, field->partition);

	if (field->partition == 0)
		comparison_add(ret, COMPARE_TABLE, is_consequence, "the %s", field->name);
	else
		comparison_add(ret, COMPARE_TABLE, is_consequence, "partition %u (\"%s\"): the %s",
			       field->partition, p ? p->name : "unused", field->name);
}

/* The first field that does not follow from anything, or else the first one. A checksum that alone
 * differs cannot be: both were right. */
void compare_tables(const struct compare_table *a, const struct compare_table *b,
		    struct comparison *ret)
{
	struct gpt_field field, consequence = { .name = NULL };

	for (size_t i = 0; i < sizeof(a->head); i = field.offset + field.size) {
		gpt_field_at(i, &field);
		if (memcmp(a->head + field.offset, b->head + field.offset, field.size) == 0)
			continue;
		if (!follows(&field, a, ret)) {
			add(&field, false, a, ret);
			return;
		}
		if (!consequence.name || consequence.kind == GPT_FIELD_CHECKSUM)
			consequence = field;
	}
	if (consequence.name)
		add(&consequence, true, a, ret);
}
