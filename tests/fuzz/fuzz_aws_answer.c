/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "factory/base/buf.h"
#include "factory/base/error.h"
#include "upload/aws_error.h"
#include "upload/credentials.h"
#include "upload/iso_time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Credentials as other programs and services give them in JSON. */
static void try_credentials(const struct buf *text)
{
	static const struct credential_names forms[] = {
		{ .key_id = "AccessKeyId", .secret = "SecretAccessKey", .token = "Token", .expires = "Expiration" },
		{ .object = "roleCredentials", .key_id = "accessKeyId", .secret = "secretAccessKey",
		  .token = "sessionToken", .expires_ms = "expiration" },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct credentials c = CREDENTIALS_INIT;
		struct error err = ERROR_INIT;
		int r = credentials_from_json(text, &forms[i], "fuzzed", &c, &err);

		if ((r < 0) != (err.kind != ERROR_NONE) || (r == 0) != (c.key_id && c.key_id[0] && c.secret[0]))
			abort();
		credentials_clear(&c);
	}
}

/* The first byte is of the status, a line the header with the type, the rest the body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_header header = { "x-amzn-errortype", NULL };
	struct http_answer answer = { .headers = &header, .header_count = 1, .body = BUF_INIT(SIZE_MAX) };
	char sentence[256], type[64];
	const uint8_t *line;
	struct aws_error e;
	int64_t seconds;

	if (size < 2)
		return 0;
	line = memchr(data + 1, '\n', size - 1);
	if (!line || buf_add(&answer.body, line + 1, size - (size_t)(line + 1 - data)) < 0)
		return 0;
	answer.status = 300 + data[0];
	snprintf(type, sizeof(type), "%.*s", (int)(line - data - 1), (const char *)data + 1);
	header.value = type;
	answer.header_count = type[0] != '\0';
	aws_error_read(&answer, 0, &e);
	if (e.outcome == AWS_DONE || e.outcome > AWS_REFUSED)
		abort();
	aws_error_sentence(&e, answer.status, "ebs:X", "fuzzed", sentence, sizeof(sentence));
	for (const char *c = sentence; *c; c++)
		if ((unsigned char)*c < 0x20)
			abort();
	try_credentials(&answer.body);
	(void)iso_time_parse(type, &seconds);
	buf_free(&answer.body);
	return 0;
}
