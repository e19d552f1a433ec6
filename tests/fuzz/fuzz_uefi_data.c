/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "factory/base/base64.h"
#include "factory/base/bytes.h"
#include "factory/base/deflate.h"
#include "factory/base/error.h"
#include "factory/format/uefi_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Written on its own here: the mutator finds neither checksums nor compressed streams by chance. */
static uint32_t crc32c(const uint8_t *data, size_t size)
{
	uint32_t crc = UINT32_MAX;

	while (size--) {
		crc ^= *data++;
		for (int i = 0; i < 8; i++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
	}
	return ~crc;
}

static int parse(const uint8_t *text, size_t size, struct uefi_data *ret)
{
	struct error err = ERROR_INIT;
	int r = uefi_data_parse((const char *)text, size, ret, &err);

	if ((r < 0) != (err.kind == ERROR_INPUT))
		abort();
	return r;
}

/* What was read must be written, and read again as the same. */
static void check_again(const struct uefi_data *u)
{
	CLEANUP_BUF struct buf text = BUF_INIT(SIZE_MAX);
	CLEANUP_UEFI_DATA struct uefi_data again = UEFI_DATA_INIT;
	struct error err = ERROR_INIT;

	if (uefi_data_format(u, &text, &err) < 0)
		return;		/* too long for EC2 */
	if (parse(text.data, text.len, &again) < 0 || again.count != u->count)
		abort();
	for (size_t i = 0; i < u->count; i++)
		if (strcmp(u->items[i].name, again.items[i].name) != 0 ||
		    u->items[i].value.len != again.items[i].value.len ||
		    u->items[i].digest.len != again.items[i].digest.len)
			abort();
}

/* The first byte: base64 as it comes, a compressed stream, or the variables in one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_BUF struct buf packed = BUF_INIT(SIZE_MAX), text = BUF_INIT(SIZE_MAX);
	CLEANUP_UEFI_DATA struct uefi_data u = UEFI_DATA_INIT;

	if (size == 0 || data[0] % 3 == 0) {
		if (parse(data, size, &u) == 0)
			check_again(&u);
		return 0;
	}
	buf_add(&packed, "AMZNUEFI\0\0\0\0\0\0\0\0", 16);
	if (data[0] % 3 == 1)
		buf_add(&packed, data + 1, size - 1);
	else
		deflate_all(data + 1, size - 1, &packed);
	write_le32(packed.data + 8, crc32c(packed.data + 12, packed.len - 12));
	base64_encode(packed.data, packed.len, &text);
	if (parse(text.data, text.len, &u) == 0)
		check_again(&u);
	return 0;
}
