/* SPDX-License-Identifier: Apache-2.0 */
#include "environment.h"

#include <stdlib.h>

#include "../../factory/base/cleanup.h"
#include "../../factory/base/io.h"
#include "../../factory/model/memory.h"

static const char *const inherited[] = {
	"PATH",	       "HOME",	    "TMPDIR",	 "http_proxy", "https_proxy", "ftp_proxy",
	"HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy",   "NO_PROXY",
};

char **network_environment(const char *more)
{
	char **env = memory_new((ARRAY_SIZE(inherited) + 3) * sizeof(*env));
	size_t count = 0;

	env[count++] = string_copy("LANG=C.UTF-8");
	if (more)
		env[count++] = string_copy(more);
	for (size_t i = 0; i < ARRAY_SIZE(inherited); i++) {
		const char *value = getenv(inherited[i]);

		if (value)
			env[count++] = string_printf("%s=%s", inherited[i], value);
	}
	return env;
}

void network_environment_free(char **env)
{
	for (size_t i = 0; env && env[i]; i++)
		free(env[i]);
	free(env);
}
