/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "factory/base/digest.h"
#include "factory/base/error.h"
#include "upload/block_index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const uint8_t *data, size_t size)
{
	CLEANUP_BLOCK_RECORD struct block_record record = BLOCK_RECORD_INIT;
	struct buf text = BUF_INIT(SIZE_MAX);
	struct error err = ERROR_INIT;
	int r = block_record_parse(data, size, "f", &record, &err);

	if ((r < 0) != (err.kind == ERROR_INPUT))
		abort();
	if (r < 0)
		return;
	block_record_format(&record, &text);
	if (text.len != size || memcmp(text.data, data, size))
		abort();
	buf_free(&text);
}

/* As it is, and with the checksum that it should have, which no chance would find. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + BLOCK_DIGEST_SIZE);
	struct digest digest;

	if (!copy)
		abort();
	check(data, size);
	if (size)
		memcpy(copy, data, size);
	digest_of(DIGEST_SHA256, copy, size, &digest);
	memcpy(copy + size, digest.bytes, BLOCK_DIGEST_SIZE);
	check(copy, size + BLOCK_DIGEST_SIZE);
	free(copy);
	return 0;
}
