/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "factory/base/buf.h"
#include "factory/base/error.h"
#include "upload/sigv4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever a path, a parameter and a header hold, a canonical request has the lines that it has to have. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char texts[3][256];
	struct buf canonical = BUF_INIT(SIZE_MAX);
	struct aws_pair query, headers[2];
	unsigned int lines = 0;

	for (int i = 0; i < 3; i++) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t n = end ? (size_t)(end - data) : size;

		snprintf(texts[i], sizeof(texts[i]), "%.*s", (int)n, (const char *)data);
		data += end ? n + 1 : n;
		size -= end ? n + 1 : n;
	}
	query = (struct aws_pair) { texts[1], texts[2] };
	headers[0] = (struct aws_pair) { "Host", texts[2] };
	headers[1] = (struct aws_pair) { "X-Amz-Date", "20260102T030405Z" };
	sigv4_canonical(
		&(struct sigv4_request){
			.method = "GET",
			.path = texts[0],
			.query = &query,
			.query_count = 1,
			.headers = headers,
			.header_count = 2,
			.payload = SIGV4_UNSIGNED,
		},
		&canonical);
	for (size_t i = 0; i < canonical.len; i++)
		lines += canonical.data[i] == '\n';
	if (lines != 7 || canonical.len != strlen(buf_text(&canonical)))
		abort();
	buf_free(&canonical);
	return 0;
}
