/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "factory/base/cleanup.h"
#include "factory/base/error.h"
#include "factory/base/io.h"
#include "upload/rehearsal/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Lines: the Authorization header, the query, and headers "name:value". */
static void check(const struct signature *s, char *rest)
{
	struct request q = { .method = (char[]){ "PUT" }, .path = (char[]){ "/snapshots/x" } };
	struct error err = ERROR_INIT;
	int64_t time = 0;
	char *line = strsep(&rest, "\n");
	int r;

	q.query = line;
	while (rest && (line = strsep(&rest, "\n"))) {
		char *name = strsep(&line, ":");

		pairs_add(&q.headers, name, line ? line : "");
	}
	r = signature_holds(s, "secret", &q, &time, &err);
	/* Nobody guesses a signature. */
	if (r == 0 || (err.kind != ERROR_INPUT && err.kind != ERROR_VERDICT))
		abort();
	pairs_free(&q.headers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *text = string_printf("%.*s", (int)size, (const char *)data);
	struct error err = ERROR_INIT;
	struct signature s;
	char *rest = text, *authorization = strsep(&rest, "\n");
	int r = signature_parse(authorization, &s, &err);

	if ((r < 0) != (err.kind == ERROR_INPUT) || (r == 0 && !*s.signed_headers))
		abort();
	if (r == 0 && rest)
		check(&s, rest);
	return 0;
}
