/* SPDX-License-Identifier: Apache-2.0 */
#include "refusal.h"

#include <string.h>

#include "ebs.h"

/* "Exception" may be there or not; what stands before decides. */
static bool is(const char *code, const char *name)
{
	size_t len = strlen(name);

	return strncmp(code, name, len) == 0 && (code[len] == '\0' || strcmp(code + len, "Exception") == 0);
}

bool refusal_may_pass(const char *code, const char *reason, int64_t age_ms)
{
	if (is(code, "ResourceNotFound"))
		return (*reason == '\0' || strcmp(reason, "SNAPSHOT_NOT_FOUND") == 0) && age_ms < EBS_SETTLES_MS;
	return is(code, "Validation") && strcmp(reason, "WRITE_REQUEST_TIMEOUT") == 0;
}

bool refusal_of_checksum(const char *code, const char *reason, const char *message)
{
	if (!is(code, "Validation"))
		return false;
	return strcmp(reason, "INVALID_BLOCK") == 0 || strcasestr(message, "checksum");
}
