/* SPDX-License-Identifier: Apache-2.0 */
#include "../factory/base/cleanup.h"
#include "../factory/base/error.h"
#include "../factory/base/io.h"
#include "credentials_source.h"

static profile_source *const ways[] = {
	profile_by_role,
	profile_by_web_identity,
	profile_by_sso,
	profile_by_keys,
	profile_by_process,
};

int profile_by_keys(struct credential_search *s, const char *profile, struct credentials *ret, struct error *err)
{
	const char *key_id = settings_of_profile(s->settings, profile, "aws_access_key_id");
	const char *secret = settings_of_profile(s->settings, profile, "aws_secret_access_key");
	CLEANUP_FREE char *from = string_printf("the profile \"%s\"", profile);

	if (!key_id && !secret)
		return 0;
	if (!key_id || !secret)
		return error_input(err, "%s has aws_%s and not aws_%s", from,
				   key_id ? "access_key_id" : "secret_access_key",
				   key_id ? "secret_access_key" : "access_key_id");
	credentials_set(ret, key_id, secret, settings_of_profile(s->settings, profile, "aws_session_token"), 0, from);
	return 0;
}

int profile_credentials(struct credential_search *s, const char *profile, struct credentials *ret, struct error *err)
{
	int r = 0;

	if (s->profile_count == PROFILE_CHAIN_MAX)
		return error_input(err, "the profile \"%s\" takes more than %d others one after another",
				   s->profiles[0], PROFILE_CHAIN_MAX);
	s->profiles[s->profile_count++] = profile;
	for (size_t i = 0; r == 0 && !ret->key_id && i < ARRAY_SIZE(ways); i++)
		r = ways[i](s, profile, ret, err);
	s->profile_count--;
	return r;
}

int credentials_of_profile(struct credential_search *s, struct credentials *ret, struct error *err)
{
	const struct settings *settings = s->settings;
	CLEANUP_FREE char *where = string_printf("the profile \"%s\" of %s and %s", settings->profile,
						 settings->config_file, settings->credentials_file);
	int r = 0;

	if (!settings_has_profile(settings, settings->profile)) {
		search_nothing(s, where, "in neither file");
		return 0;
	}
	r = profile_credentials(s, settings->profile, ret, err);
	if (r == 0 && !ret->key_id)
		search_nothing(s, where, "no role, web identity, SSO session, keys or credential_process");
	return r;
}
