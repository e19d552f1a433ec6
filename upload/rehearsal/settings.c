/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include "../../factory/base/cleanup.h"
#include "../../factory/model/json.h"

#define DAYS_MAX 3650
#define SECONDS_MAX ((uint64_t)DAYS_MAX * 24 * 3600)

int settings_parse(const char *text, size_t size, struct settings *ret, struct error *err)
{
	static const char *const keys[] = { "page_size", "session_seconds", "clock_ahead", "clock_behind", NULL };
	CLEANUP_JSON struct json_node root = { .value = NULL };
	struct settings s = *ret;
	uint64_t *const targets[] = { &s.page_size, &s.session_seconds, &s.clock_ahead, &s.clock_behind };
	int r = json_open(text, size, "settings", &root, err);

	if (r == 0)
		r = json_check_keys(&root, keys, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(targets); i++)
		if (json_has(&root, keys[i]))
			r = json_get_number(&root, keys[i], 0, SECONDS_MAX, targets[i], err);
	if (r == 0)
		*ret = s;
	return r;
}
