/* SPDX-License-Identifier: Apache-2.0 */
#include "../factory/base/error.h"
#include "credentials_source.h"
#include "iso_time.h"

#define FROM "the environment"

int credentials_of_variables(struct credential_search *s, struct credentials *ret, struct error *err)
{
	const char *key_id = settings_variable("AWS_ACCESS_KEY_ID");
	const char *secret = settings_variable("AWS_SECRET_ACCESS_KEY");
	const char *until = settings_variable("AWS_CREDENTIAL_EXPIRATION");
	int64_t expires = 0;

	if (!key_id && !secret) {
		search_nothing(s, FROM, "AWS_ACCESS_KEY_ID is not set");
		return 0;
	}
	if (!key_id || !secret)
		return error_input(err, "AWS_%s is set and AWS_%s is not",
				   key_id ? "ACCESS_KEY_ID" : "SECRET_ACCESS_KEY",
				   key_id ? "SECRET_ACCESS_KEY" : "ACCESS_KEY_ID");
	if (until && iso_time_parse(until, &expires) < 0)
		return error_input(err, "AWS_CREDENTIAL_EXPIRATION is no time, such as 2026-01-02T03:04:05Z");
	credentials_set(ret, key_id, secret, settings_variable("AWS_SESSION_TOKEN"), expires, FROM);
	return 0;
}

int credentials_of_environment(struct credential_search *s, struct credentials *ret, struct error *err)
{
	/* Who names a profile wants that one. */
	if (!s->settings->profile_given)
		return credentials_of_variables(s, ret, err);
	search_nothing(s, FROM, "passed over for --profile");
	return 0;
}
