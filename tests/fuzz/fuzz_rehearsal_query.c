/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "factory/base/buf.h"
#include "factory/base/error.h"
#include "upload/rehearsal/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was understood, encoded again, must be understood in the same way. */
static void check_again(const struct pairs *once)
{
	struct buf text = BUF_INIT(SIZE_MAX);
	struct pairs twice = PAIRS_INIT;
	struct error err = ERROR_INIT;

	for (size_t i = 0; i < once->count; i++) {
		if (buf_add_string(&text, i ? "&" : "") < 0)
			abort();
		query_encode(once->items[i].name, false, &text);
		if (buf_add_string(&text, "=") < 0)
			abort();
		query_encode(once->items[i].value, false, &text);
	}
	if (query_parse(buf_text(&text), text.len, true, &twice, &err) < 0 || twice.count != once->count)
		abort();
	for (size_t i = 0; i < once->count; i++)
		if (strcmp(once->items[i].name, twice.items[i].name) || strcmp(once->items[i].value, twice.items[i].value))
			abort();
	pairs_free(&twice);
	buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pairs pairs = PAIRS_INIT;
	struct error err = ERROR_INIT;

	if (query_parse((const char *)data, size, size % 2, &pairs, &err) == 0)
		check_again(&pairs);
	else if (err.kind != ERROR_INPUT)
		abort();
	pairs_free(&pairs);
	return 0;
}
