/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "factory/base/bytes.h"
#include "factory/format/gpt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Checksums that hold, or no mutation would ever get past them. */
static void seal(uint8_t *head, size_t size)
{
	uint8_t *header = head + GPT_SECTOR;
	uint64_t lba = read_le64(header + 72), count = read_le32(header + 80);
	uint32_t header_size = read_le32(header + 12);

	if (lba <= size / GPT_SECTOR && count <= GPT_PARTITIONS_MAX &&
	    range_fits(lba * GPT_SECTOR, count * 128, size))
		write_le32(header + 88, gpt_crc32(head + lba * GPT_SECTOR, count * 128));
	write_le32(header + 16, 0);
	if (header_size <= GPT_SECTOR)
		write_le32(header + 16, gpt_crc32(header, header_size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t measured[GPT_MEASURED_MAX];
	uint8_t *head = malloc(size + 1);
	size_t used = 0;
	struct gpt gpt;

	if (!head)
		return 0;
	memcpy(head, data, size);
	if (size >= 2 * GPT_SECTOR)
		seal(head, size);
	if (!gpt_parse(head, size, 64 << 20, &gpt))
		for (unsigned int i = 0; i < gpt.count; i++)
			if (!range_fits(gpt.partitions[i].offset, gpt.partitions[i].size, 64 << 20))
				abort();
	if (!gpt_measured(head, size, measured, &used) && used > sizeof(measured))
		abort();
	free(head);
	return 0;
}
